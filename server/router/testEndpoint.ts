import type { KeyMaterial, TestEndpointResult } from '../api/messages.ts';
import type { Clock } from '../base/clock.ts';
import type { SecretRegister } from '../base/secrets/redact.ts';
import type { EndpointConfig } from '../config/config.ts';
import { redactFailure, withoutSecrets } from '../exchange/redactFailure.ts';
import { secretsOf } from '../keys/authHeader.ts';
import { foreignKeyMessage } from '../keys/foreignKeys.ts';
import { handleOf } from '../keys/keyHandles.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import type { ListedModel } from '../models/listedFacts.ts';
import type { ModelDirectory } from '../models/modelDirectory.ts';
import { drillFailure, type FaultInjector } from '../upstream/interceptors/faultInjector.ts';
import type { Dispatcher } from '../upstream/call.ts';
import { tryEndpoint } from '../upstream/tryEndpoint.ts';
import type { CurrentConfig } from './currentConfig.ts';
import { otherAddress, testedSentence } from './testedSentence.ts';

/** The keys that an endpoint is tested with. */
export type TestedKeys =
  /** One that was just typed; empty: none. */
  | { readonly kind: 'typed'; readonly secret: string }
  /** Those that the endpoint has; with an id that one alone. */
  | { readonly kind: 'configured'; readonly keyId?: string | undefined };

export interface EndpointTesterOptions {
  current: CurrentConfig;
  register: SecretRegister;
  transport: Dispatcher;
  faultInjector: Pick<FaultInjector, 'isDrilled'>;
  keys: Pick<KeyPool, 'all' | 'revive'>;
  directory: Pick<ModelDirectory, 'apply'>;
  clock: Clock;
  /** What models of the endpoint refused by name, in words. */
  learnt(endpoint: EndpointConfig): readonly string[];
  /** The state that a person sees has changed. */
  changed(): void;
}

/** Tries endpoints before they are saved, and again whenever a person asks. */
export class EndpointTester {
  readonly #options: EndpointTesterOptions;

  constructor(options: EndpointTesterOptions) {
    this.#options = options;
  }

  /** Tries an endpoint as it would be configured, once with each of the keys. The secrets stay in the key pool. */
  test(endpoint: EndpointConfig, tested: TestedKeys, signal?: AbortSignal): Promise<TestEndpointResult> {
    return this.testWith(endpoint, this.#keysOf(endpoint.name, tested), signal);
  }

  /** Tries an endpoint without a key or with each of some keys, one after the other, until one fails. */
  async testWith(endpoint: EndpointConfig, keys: readonly KeyMaterial[], signal?: AbortSignal): Promise<TestEndpointResult> {
    const { register, transport, faultInjector, clock, current, directory, changed, learnt } = this.#options;
    register.add(keys.flatMap(secretsOf));
    let models: readonly ListedModel[] = [];
    let latencyMs: number | undefined;
    let isProved = keys.length > 0;
    let at = endpoint;
    for (const key of keys.length === 0 ? [undefined] : keys) {
      const foreign = key === undefined ? undefined : foreignKeyMessage(endpoint, key);
      if (foreign !== undefined) return { ok: false, failureClass: 'auth', message: foreign, models: [] };
      const tried = await tryEndpoint(transport, at, key, { now: clock.now(), signal });
      const { error, ...result } = tried.result;
      at = tried.endpoint;
      if (error !== undefined) {
        const failure = faultInjector.isDrilled(endpoint.name) ? drillFailure(error) : error;
        return { ok: false, failureClass: error.failureClass, message: redactFailure(failure, register).message, latencyMs: result.latencyMs, models: [], ...otherAddress(endpoint, at) };
      }
      if (key !== undefined) this.#revive(endpoint.name, key);
      models = withoutSecrets(result.models ?? models, register);
      latencyMs = result.latencyMs;
      isProved &&= result.provedKey;
    }
    if (current.config.endpoints.has(endpoint.name) && models.length > 0) directory.apply(endpoint.name, models, clock.now());
    changed();
    const found = { name: endpoint.name, ...otherAddress(endpoint, at), keys: keys.length, proved: isProved, latencyMs, models: models.length };
    return { ok: true, message: `${testedSentence(found)}${learntSentence(learnt(endpoint))}`, latencyMs, models: models.map(model => model.name), ...otherAddress(endpoint, at) };
  }

  #keysOf(endpoint: string, tested: TestedKeys): KeyMaterial[] {
    switch (tested.kind) {
      case 'typed': return tested.secret === '' ? [] : [{ id: 'new', label: 'the new key', secret: tested.secret }];
      case 'configured': {
        const known = this.#options.keys.all(endpoint);
        return tested.keyId === undefined ? [...known] : known.filter(key => key.id === tested.keyId);
      }
    }
  }

  /** A key that is in use and was accepted counts as good again, whatever was known of it. */
  #revive(endpoint: string, { id, secret }: KeyMaterial): void {
    const { keys, clock } = this.#options;
    const known = keys.all(endpoint).find(one => one.id === id && one.secret === secret);
    if (known !== undefined) keys.revive(endpoint, handleOf(known), 'test', clock.now());
  }
}

const mostShown = 5;

function learntSentence(learnt: readonly string[]): string {
  if (learnt.length === 0) return '';
  const more = learnt.length - mostShown;
  return ` Learnt today: ${learnt.slice(0, mostShown).join('; ')}${more > 0 ? `; and ${String(more)} more` : ''}.`;
}
