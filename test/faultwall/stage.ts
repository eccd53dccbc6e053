import type { Receipt } from '../../server/api/receipt.ts';
import type { EndpointSettings } from '../../server/api/settings.ts';
import type { EndpointStatus } from '../../server/api/status.ts';
import { startSandboxProvider, type SandboxOptions, type SandboxProvider } from '../../server/sandbox/sandboxProvider.ts';
import { selfSignedCertificate } from '../../server/sandbox/selfSignedCertificate.ts';
import { EditorDoor } from '../integration/support/editorDoor.ts';
import { sandboxEndpoint } from '../integration/support/sandboxPair.ts';
import { startTestRouter, type TestRouter, type TestRouterOptions } from '../integration/support/testRouter.ts';
import { callers } from './callers/callers.ts';
import { askEditor } from './editorTurn.ts';
import { askOverHttp } from './httpTurn.ts';
import { judgeEditor, judgeHttp, type Turn } from './judgeTurn.ts';
import { attemptWords, receiptViolations, restartViolations, stateViolations } from './judgeRecord.ts';
import { toolPrompt, wordsPrompt } from './prompts.ts';
import { startAtQuietPort } from './providerPorts.ts';
import type { Cell, Played, WallRow } from './wallRow.ts';

export interface AskOptions {
  /** The route or target that is asked for; default the route `auto`. */
  model?: string | undefined;
  prompt?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Called once the first byte of the answer, or its first event, is here. */
  onFirst?: (() => void) | undefined;
}

const dayMs = 86_400_000;

/** Two providers, a server between them and a caller, and one cell of the wall to play. */
export class Stage {
  readonly row: WallRow;
  readonly cell: Cell;
  readonly a: SandboxProvider;
  readonly b: SandboxProvider;
  /** The target of redirects; no request may arrive here. */
  readonly elsewhere: SandboxProvider;
  readonly testRouter: TestRouter;
  readonly editor: EditorDoor | undefined;

  private constructor(row: WallRow, cell: Cell, parts: Pick<Stage, 'a' | 'b' | 'elsewhere' | 'testRouter' | 'editor'>) {
    this.row = row;
    this.cell = cell;
    this.a = parts.a;
    this.b = parts.b;
    this.elsewhere = parts.elsewhere;
    this.testRouter = parts.testRouter;
    this.editor = parts.editor;
  }

  /** @param place a number no other cell of the run has */
  static async open(row: WallRow, cell: Cell, place: number): Promise<Stage> {
    const provider = (name: string, index: number, more: Partial<SandboxOptions> = {}): Promise<SandboxProvider> => {
      const options = { protocol: cell.target, name, ...more };
      return row.refuses === true && index < 2 ? startAtQuietPort(options, 2 * place + index) : startSandboxProvider(options);
    };
    const [a, b, elsewhere] = await Promise.all([
      provider('a', 0, { tls: certificateOf(row), latency: { headersMs: row.latencyMs } }), provider('b', 1), provider('elsewhere', 2),
    ]);
    const script = row.behaviour(cell);
    a.script('type' in script && script.type === 'redirect' ? { ...script, location: `${elsewhere.url}${script.location}` } : script);
    const testRouter = await startTestRouter(configurationOf(row, a, b));
    const editor = cell.caller === 'editor' || row.notice !== undefined ? new EditorDoor(testRouter.testRouter) : undefined;
    await editor?.open();
    return new Stage(row, cell, { a, b, elsewhere, testRouter, editor });
  }

  async close(): Promise<void> {
    this.editor?.close();
    await this.testRouter.close();
    await Promise.all([this.a.close(), this.b.close(), this.elsewhere.close()]);
  }

  /** One request as the cell's caller, judged by what came back alone. */
  async ask(options: AskOptions = {}): Promise<Turn> {
    const { row, cell, testRouter } = this;
    const model = options.model ?? 'auto';
    const prompt = options.prompt ?? (row.tool === true ? toolPrompt : wordsPrompt);
    const { tool: tools, foreignReasoning } = row;
    if (cell.caller === 'editor') {
      if (this.editor === undefined) throw new Error('the editor is not there');
      return judgeEditor(row, await askEditor(this.editor, { wanted: model, prompt, tools, foreignReasoning, origin: cell.target, signal: options.signal, onFirst: options.onFirst }), prompt);
    }
    let began = false;
    const turn = await askOverHttp({
      url: testRouter.url, caller: cell.caller, headers: callers[cell.caller].headers(testRouter.token), model, prompt, tools, foreignReasoning, stream: cell.mode === 'stream',
      signal: options.signal,
      onChunk: () => {
        if (!began) options.onFirst?.();
        began = true;
      },
    });
    return judgeHttp(row, cell, turn, prompt);
  }

  /** Judges what the server recorded of a turn, and the state in which it left the faulty endpoint. */
  async judge(turn: Turn): Promise<Played> {
    const receipt = await this.receipt(turn);
    return {
      outcome: turn.outcome, attempts: attemptWords(receipt), elapsedMs: turn.elapsedMs,
      violations: [...turn.violations, ...receiptViolations(this.row, receipt), ...restartViolations(turn.outcome, receipt), ...await stateViolations(this)],
    };
  }

  receipt(turn: Turn): Promise<Receipt> {
    return this.testRouter.receipt(turn.exchangeId);
  }

  /** The state of the faulty endpoint. */
  async stateOfA(): Promise<EndpointStatus> {
    const found = (await this.testRouter.status()).endpoints.find(endpoint => endpoint.name === 'a');
    if (found === undefined) throw new Error('the server has forgotten a');
    return found;
  }
}

/** The certificate the faulty provider shows; undefined: it speaks plain HTTP. */
export function certificateOf(row: WallRow): SandboxOptions['tls'] {
  switch (row.tls) {
    case undefined: return undefined;
    case 'self-signed': return selfSignedCertificate();
    case 'expired': return selfSignedCertificate('localhost', Date.now() - 9 * dayMs, Date.now() - 2 * dayMs);
  }
}

function configurationOf(row: WallRow, a: SandboxProvider, b: SandboxProvider): TestRouterOptions {
  const keyNames = Array.from({ length: row.keys ?? 0 }, (_, index) => `KEY_${index + 1}`);
  const settingsA: Partial<EndpointSettings> = { ...row.settings?.(a.url), ...(keyNames.length === 0 ? {} : { keys: keyNames.map(name => `\${${name}}`) }) };
  const endpointA = sandboxEndpoint(a, settingsA);
  const endpointB = sandboxEndpoint(b);
  if (row.contextWindows !== undefined) {
    endpointA.models = { m: { ...endpointA.models?.m, contextWindow: row.contextWindows.a } };
    endpointB.models = { m: { ...endpointB.models?.m, contextWindow: row.contextWindows.b } };
  }
  return {
    endpoints: { a: endpointA, b: endpointB },
    routes: { auto: { targets: row.alone === true ? ['a/m'] : ['a/m', 'b/m'], ...row.route } },
    environment: Object.fromEntries(keyNames.map((name, index) => [name, `sandbox-key-number-${index + 1}`])),
    ...(row.keepAliveMs === undefined ? {} : { keepAliveMs: row.keepAliveMs }),
  };
}
