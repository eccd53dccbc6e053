import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseJson } from '../base/json.ts';
import { maskedRequest } from './requestJournal.ts';
import type { SandboxRequest } from './requestJournal.ts';
import { sandboxScriptSchema } from './sandboxBehaviour.ts';
import type { SandboxBehaviour } from './sandboxBehaviour.ts';

/** What the remote control can do to a provider. */
export interface ControlledProvider {
  readonly name: string;
  readonly requests: readonly SandboxRequest[];
  script(behaviour: SandboxBehaviour | readonly SandboxBehaviour[]): void;
  die(): void;
  revive(): Promise<void>;
}

export const controlPath = '/__sandbox';

/** A reset destroys what is still under way, so the answer gets a moment to arrive. */
const untilAnswerArrivedMs = 15;

export function isControlPath(path: string): boolean {
  return path === controlPath || path.startsWith(`${controlPath}/`);
}

/**
 * Remote control for demonstrations and for tests in other processes: `POST behaviour` (one behaviour, or a list
 * for the next requests), `GET requests` (credentials masked), `POST die`, `POST revive`. Web pages are refused.
 * A change is in effect when its answer arrives; only one that ends the connection it came over waits until the answer is out.
 * @param ownPort the request came over the control port, which no behaviour touches
 */
export async function answerControl(provider: ControlledProvider, request: IncomingMessage, bodyText: string, response: ServerResponse, ownPort: boolean): Promise<void> {
  if (request.headers.origin !== undefined) {
    send(response, 403, { error: 'The sandbox is not controlled from web pages.' });
    return;
  }
  const path = new URL(request.url ?? '/', 'http://sandbox').pathname;
  switch (`${request.method} ${path.slice(controlPath.length)}`) {
    case 'POST /behaviour': {
      const script = sandboxScriptSchema.safeParse(parseJson(bodyText));
      if (!script.success) {
        send(response, 400, { error: script.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') });
        return;
      }
      const { data } = script;
      const refuses = ('type' in data ? data : data[0])?.type === 'refuse';
      change(response, refuses && !ownPort, () => provider.script(data));
      return;
    }
    case 'GET /requests':
      send(response, 200, { provider: provider.name, requests: provider.requests.map(maskedRequest) });
      return;
    case 'POST /die':
      change(response, !ownPort, () => provider.die());
      return;
    case 'POST /revive':
      await provider.revive();
      send(response, 200, { ok: true });
      return;
    default:
      send(response, 404, { error: 'POST behaviour, GET requests, POST die, POST revive' });
  }
}

function change(response: ServerResponse, endsThisConnection: boolean, apply: () => void): void {
  if (endsThisConnection) response.once('finish', () => { setTimeout(apply, untilAnswerArrivedMs); });
  else apply();
  send(response, 200, { ok: true });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
}

/** The whole body as text; undefined when the client broke off or sent more than `maximumBytes`. */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      const part = chunk as Buffer;
      bytes += part.length;
      if (bytes > maximumBytes) return undefined;
      chunks.push(part);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}
