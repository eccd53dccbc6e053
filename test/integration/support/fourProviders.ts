import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import type { Receipt } from '../../../server/api/receipt.ts';
import { isObject, type JsonObject } from '../../../server/base/json.ts';
import type { SandboxErrorKind } from '../../../server/sandbox/sandboxBehaviour.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { sandboxProtocols, type SandboxProtocol } from '../../../server/sandbox/wires/sandboxWire.ts';
import { sandboxEndpoint } from './sandboxPair.ts';
import { startTestRouter, type TestRouter, type TestRouterOptions } from './testRouter.ts';

/** A picture of one pixel, as base64. */
export const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const weatherSchema = { type: 'object' as const, properties: { place: { type: 'string' as const }, day: { type: 'integer' as const } }, required: ['place'] };
/** What a strict structured answer is asked for with. */
export const placeSchema = { type: 'object' as const, properties: { place: { type: 'string' as const } }, required: ['place'], additionalProperties: false };
export const twoCalls = 'call tool look_up {"place":"Rome","day":3} and call tool look_up {"place":"Oslo on the fjord, in the rain","day":4}';
export const twoArguments = [{ place: 'Rome', day: 3 }, { place: 'Oslo on the fjord, in the rain', day: 4 }];

/** A server with one simulated provider of each protocol behind it, each an endpoint named after its protocol with the model `m`. */
export class FourProviders {
  readonly #providers = new Map<SandboxProtocol, SandboxProvider>();
  #testRouter: TestRouter | undefined;

  async start(): Promise<void> {
    for (const protocol of sandboxProtocols) this.#providers.set(protocol, await startSandboxProvider({ protocol, name: protocol }));
    this.#testRouter = await startTestRouter(this.#configuration());
  }

  async close(): Promise<void> {
    await this.#testRouter?.close();
    await Promise.all([...this.#providers.values()].map(one => one.close()));
  }

  get testRouter(): TestRouter {
    assert.ok(this.#testRouter !== undefined);
    return this.#testRouter;
  }

  provider(target: SandboxProtocol): SandboxProvider {
    const found = this.#providers.get(target);
    assert.ok(found !== undefined);
    return found;
  }

  /** All providers answer well again. */
  reset(): void {
    for (const one of this.#providers.values()) one.script({ type: 'answer' });
  }

  /** Adopts the whole configuration anew, so that no state of an earlier failure is left. */
  async forget(): Promise<void> {
    await this.testRouter.configure({ endpoints: {} });
    await this.testRouter.configure(this.#configuration());
  }

  /** A target that fails in the named way while `work` runs. */
  async failing(target: SandboxProtocol, error: SandboxErrorKind, work: () => Promise<void>): Promise<void> {
    this.provider(target).script({ type: 'error', error, retryAfter: { form: 'seconds', ms: 60_000 } });
    try {
      await work();
    } finally {
      await this.forget();
    }
  }

  /** What a provider was sent last. */
  lastBody(target: SandboxProtocol): JsonObject {
    const body = this.provider(target).requests.at(-1)?.body;
    assert.ok(isObject(body));
    return body;
  }

  async lastReceipt(): Promise<Receipt> {
    const [latest] = await this.testRouter.testRouter.router.recent(1);
    return this.testRouter.receipt(latest?.id ?? '');
  }

  /** Resolves when the provider has noticed that the newest of its requests was given up. */
  async sawCancellation(target: SandboxProtocol, afterNumber: number): Promise<void> {
    await this.provider(target).waitForRequest(one => one.number > afterNumber && one.closedEarlyAt !== undefined);
  }

  #configuration(): TestRouterOptions {
    return {
      endpoints: Object.fromEntries([...this.#providers].map(([protocol, provider]) => [protocol, sandboxEndpoint(provider, { breaker: { failures: 1000 } })])),
      routes: { auto: { targets: sandboxProtocols.map(protocol => `${protocol}/m`) } },
    };
  }
}

/** Four providers for the tests of a file. */
export function useFourProviders(): FourProviders {
  const four = new FourProviders();
  before(() => four.start());
  after(() => four.close());
  beforeEach(() => four.reset());
  return four;
}

/** The classes of a client library's errors that a provider's failure shall become, by status. */
export const failureStatuses: readonly (readonly [kind: SandboxErrorKind, status: number])[] = [
  ['bad-request', 400], ['context-overflow', 400], ['content-policy', 400], ['model-not-found', 404], ['rate-limit', 429],
];
