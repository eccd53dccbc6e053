import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { places } from './places.ts';

interface Address { name: string; protocol: string; url: string; controlUrl: string }

/** One request as a sandbox provider saw it; credentials are masked down to their last four characters. */
export interface SeenRequest {
  number: number;
  receivedAt: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: { tools?: unknown[]; messages?: { role: string; content: unknown }[]; stream?: boolean; model?: string };
  status?: number;
}

/** A simulated provider in another process, controlled over HTTP. */
export class SandboxProvider {
  readonly name: string;
  /** What a user types as base URL. */
  readonly url: string;
  readonly #controlUrl: string;

  constructor({ name, url, controlUrl }: Address) {
    this.name = name;
    this.url = url;
    this.#controlUrl = controlUrl;
  }

  /** Refuses connections and resets the existing ones, as if its machine were down. */
  async die(): Promise<void> {
    await this.#control('POST', 'die');
  }

  async revive(): Promise<void> {
    await this.#control('POST', 'revive');
  }

  /** One behaviour until changed, or a list for the next requests; see server/sandbox/sandboxBehaviour.ts. */
  async behave(behaviour: object): Promise<void> {
    await this.#control('POST', 'behaviour', behaviour);
  }

  /** The requests so far, oldest first. */
  async requests(): Promise<SeenRequest[]> {
    const { requests } = await this.#control('GET', 'requests') as { requests: SeenRequest[] };
    return requests;
  }

  /** Chat turns only: no probes, no lists of models. */
  async turns(): Promise<SeenRequest[]> {
    return (await this.requests()).filter(({ body }) => body?.messages !== undefined);
  }

  async #control(method: string, action: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#controlUrl}/${action}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) });
    if (!response.ok) throw new Error(`The sandbox ${this.name} refused ${action}: ${await response.text()}`);
    return response.json();
  }
}

/** The two providers of `server.js sandbox`: the first speaks openai-chat, the second anthropic-messages. */
export class Sandbox {
  readonly first: SandboxProvider;
  readonly second: SandboxProvider;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, first: Address, second: Address) {
    this.#process = child;
    this.first = new SandboxProvider(first);
    this.second = new SandboxProvider(second);
  }

  static async start(): Promise<Sandbox> {
    if (!existsSync(places.serverBundle)) throw new Error(`There is no ${places.serverBundle}: run "npm run build" first.`);
    const child = spawn(process.execPath, [places.serverBundle, 'sandbox', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const { providers } = JSON.parse(line) as { providers: [Address, Address] };
      return new Sandbox(child, ...providers);
    }
    throw new Error(`The sandbox did not start (exit code ${child.exitCode}).`);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
  }
}
