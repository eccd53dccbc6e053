import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Condition } from '../../../server/api/condition.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { startServer, type ServerProcess } from '../support/serverProcess.ts';

const answer = (tokens: number): string => JSON.stringify({
  id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: tokens, total_tokens: 5 + tokens },
});

/** A provider that counts what reaches it, and refuses as it is told to. */
export class Provider {
  asked = 0;
  readonly #answer: string;
  refusal: { status: number; headers?: Record<string, string>; message: string } | undefined;
  readonly #server: Server = createServer((request, response) => {
    this.asked += 1;
    request.resume().once('end', () => {
      const { refusal } = this;
      if (refusal === undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(this.#answer);
      else response.writeHead(refusal.status, { 'content-type': 'application/json', ...refusal.headers }).end(JSON.stringify({ error: { message: refusal.message } }));
    });
  });

  /** @param tokens of each answer */
  constructor(tokens = 5) {
    this.#answer = answer(tokens);
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/v1`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Several servers that start at once on a busy machine need more time than one. */
const startWithinMs = 60_000;

/** Server processes that share a Redis and no data folder. */
export class Replicas {
  readonly #folder: string;
  readonly #environment: Record<string, string>;
  readonly configFile: string;
  readonly children: ChildProcess[] = [];
  #started = 0;

  constructor(folder: string, config: object, environment: Record<string, string>) {
    this.#folder = folder;
    this.#environment = environment;
    this.configFile = path.join(folder, 'waybill.yaml');
    writeFileSync(this.configFile, JSON.stringify(config, undefined, 1));
  }

  async start(dataDir = `data-${String(this.#started += 1)}`): Promise<ServerProcess> {
    const server = await startServer({ configFile: this.configFile, dataDir: path.join(this.#folder, dataDir), environment: this.#environment, withinMs: startWithinMs });
    this.children.push(server.child);
    return server;
  }
}

/** Sends a chat request. */
export async function chat(server: ServerProcess, model: string, more: object = {}, headers: Record<string, string> = {}): Promise<{ status: number; text: string; id: string; headers: Headers }> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], ...more }),
  });
  return { status: response.status, text: await response.text(), id: response.headers.get('x-waybill-exchange') ?? '', headers: response.headers };
}

/** Sends an order as a person does. */
export async function order(server: ServerProcess, route: string, body: object): Promise<{ status: number; text: string }> {
  const response = await fetch(server.url + route, { method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}

/** What an endpoint can do, as a server sees it. */
export async function conditionOf(server: ServerProcess, name: string): Promise<Condition['kind'] | undefined> {
  return (await server.get('/waybill/endpoints') as { endpoints: { endpoint: string; condition: Condition }[] }).endpoints.find(({ endpoint }) => endpoint === name)?.condition.kind;
}

/** The states of an endpoint's keys, as a server sees them. */
export async function keysOf(server: ServerProcess, name: string): Promise<string[]> {
  const { endpoints } = await server.get('/waybill/status') as StatusSnapshot;
  return endpoints.find(endpoint => endpoint.name === name)?.keys.map(({ state }) => state) ?? [];
}
