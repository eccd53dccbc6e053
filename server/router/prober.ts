import type { Clock } from '../base/clock.ts';
import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import type { Redactor } from '../base/secrets/redact.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import { networkKindOf } from '../health/network/networkState.ts';
import type { SharedState } from '../ledger/ports.ts';
import { handleOf, type HandedKey } from '../keys/keyHandles.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import type { ModelDirectory } from '../models/modelDirectory.ts';
import { drillFailure, type FaultInjector } from '../upstream/interceptors/faultInjector.ts';
import { probeEndpoint, type ProbeResult } from '../upstream/probe.ts';
import type { Dispatcher } from '../upstream/call.ts';
import { redactFailure, withoutSecrets } from '../exchange/redactFailure.ts';
import type { NoticedFailure } from './notices.ts';

const wrongListAgainMs = 10_000;
const modelListAgeMs = 6 * 60 * 60 * 1000;
/** How often one endpoint is probed to learn whether the machine's link is back. */
const scoutEveryMs = 5000;

export interface ProberOptions {
  transport: Dispatcher;
  faultInjector: Pick<FaultInjector, 'matching' | 'isDrilled'>;
  /** What a person paused is probed only where a person asks. */
  pauses: { of(endpoint: string, now: number): object | undefined };
  healthRegistry: HealthRegistry;
  keys: KeyPool;
  directory: ModelDirectory;
  ledger: Pick<SharedState, 'publishProbe'>;
  clock: Clock;
  log: Log;
  redactor: Redactor;
  /** A probe ended; the state may have changed. */
  changed(): void;
  /** An endpoint answered a probe. @param latencyMs how long that took */
  answered?(endpoint: string, latencyMs: number): void;
  /** A probe failed in a way that was not known before. */
  failed(failure: NoticedFailure): void;
}

/** Probes endpoints with the cheapest call that proves something, and only endpoints of which nothing else was observed for a while. */
export class Prober {
  #options: ProberOptions;
  #observedAt = new Map<string, number>();
  #listedAt = new Map<string, number>();
  /** When an endpoint was last probed. */
  #askedAt = new Map<string, number>();
  /** Lists that turned out wrong, so that an old one on disk does not count either. */
  #wrongLists = new Set<string>();
  #running = new Map<string, Promise<unknown>>();
  /** The end of the rejection that a key was last probed for, by endpoint and key. */
  #proofs = new Map<string, number>();
  #scoutedAt = -Infinity;
  readonly #probes: Guard;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#probes = new Guard('A probe of an endpoint', options.log);
  }

  /** Real traffic, or a peer, showed something of the endpoint. */
  observe(endpoint: string, at: number): void {
    this.#observedAt.set(endpoint, at);
  }

  /** A model of the list was not found: the list is wrong, and is asked for again at the next probe. */
  modelNotFound(endpoint: string): void {
    if (this.#options.faultInjector.isDrilled(endpoint)) return;
    this.#listedAt.delete(endpoint);
    this.#observedAt.delete(endpoint);
    this.#wrongLists.add(endpoint);
  }

  /** When the list was asked for, by this process or by one before it. */
  #lastListed(endpoint: string): number {
    const listedAt = this.#listedAt.get(endpoint);
    if (listedAt !== undefined) return listedAt;
    return this.#wrongLists.has(endpoint) ? 0 : this.#options.directory.listedAt(endpoint) ?? 0;
  }

  /** Starts the probes that are due. While the machine is cut off, one endpoint at a time is asked for all of them. */
  tick(endpoints: Iterable<EndpointConfig>): void {
    const now = this.#options.clock.now();
    let scout: EndpointConfig | undefined;
    for (const endpoint of endpoints) {
      this.#probes.run(() => {
        if (!endpoint.enabled || !endpoint.probe.enabled || this.#running.has(endpoint.name) || this.#options.pauses.of(endpoint.name, now) !== undefined) return;
        if (this.#options.healthRegistry.isOffline(endpoint.name)) {
          if (scout === undefined || this.#lastObserved(endpoint) < this.#lastObserved(scout)) scout = endpoint;
        } else if (this.#proves(endpoint, now)) {
          return;
        } else if (this.#isDue(endpoint, now)) {
          this.#probes.settle(this.probe(endpoint));
        }
      });
    }
    if (scout === undefined || Math.abs(now - this.#scoutedAt) < scoutEveryMs) return;
    this.#scoutedAt = now;
    this.#probes.settle(this.probe(scout));
  }

  /** Tries a rejected key again by the call that costs nothing, where that proves keys. @returns whether one is tried */
  #proves(endpoint: EndpointConfig, now: number): boolean {
    if (!endpoint.provider.probe.provesKey) return false;
    const awaited = this.#options.keys.awaitsProof(endpoint.name, now);
    if (awaited === undefined) return false;
    const { key, until } = awaited;
    // Once for each rejection: where the probe proves nothing, the next request does.
    const subject = `${endpoint.name}\n${key.id}`;
    if (this.#proofs.get(subject) === until) return false;
    this.#proofs.set(subject, until);
    this.#probes.settle(this.#alone(endpoint, () => this.#ask(endpoint, key, false)));
    return true;
  }

  #isDue({ name, probe, provider }: EndpointConfig, now: number): boolean {
    const observedAt = this.#observedAt.get(name);
    const listed = this.#listedAt.has(name);
    // A list that turned out wrong is asked for again at once, however much traffic there is, and then not for a while.
    const wrongList = this.#wrongLists.has(name) && now - (this.#askedAt.get(name) ?? -Infinity) >= wrongListAgainMs;
    if (!wrongList && observedAt !== undefined && now - observedAt < probe.intervalMs && listed) return false;
    if (!wrongList && observedAt !== undefined && now - observedAt < Math.min(probe.intervalMs, 10_000)) return false;
    // A rejected key is probed again: the rejection may have come from something else in the network, or was mended since.
    const { keys } = this.#options;
    return keys.blocked(name, provider.keyRequired, now) === undefined || keys.hasRejected(name);
  }

  #lastObserved(endpoint: EndpointConfig): number {
    return this.#observedAt.get(endpoint.name) ?? -Infinity;
  }

  /** Probes now, whatever was observed. @returns undefined when a probe is under way already */
  async probe(endpoint: EndpointConfig): Promise<ProbeResult | undefined> {
    if (this.#running.has(endpoint.name)) return undefined;
    const { keys, clock } = this.#options;
    return this.#alone(endpoint, () => this.#ask(endpoint, keys.pick(endpoint.name, new Set(), clock.now()) ?? keys.all(endpoint.name)[0], false));
  }

  /**
   * Probes now because a person asked, after a probe that is under way: with the key that is in use, and with each key that
   * was rejected, which counts again when it is accepted.
   */
  async check(endpoint: EndpointConfig): Promise<void> {
    const { keys, clock } = this.#options;
    while (this.#running.has(endpoint.name)) await this.#running.get(endpoint.name);
    await this.#alone(endpoint, async () => {
      const all = keys.all(endpoint.name);
      const rejected = all.filter(key => keys.isRejected(endpoint.name, handleOf(key)));
      const used = keys.pick(endpoint.name, new Set(), clock.now()) ?? all.find(key => !rejected.includes(key));
      for (const key of used === undefined && rejected.length > 0 ? rejected : [...rejected, used]) {
        const { error } = await this.#ask(endpoint, key, true);
        // Where the endpoint cannot be reached, another key makes no difference.
        if (error?.failureClass === 'network' || error?.failureClass === 'timeout') return;
      }
    });
  }

  /** Runs the only probe of an endpoint. */
  async #alone<Result>(endpoint: EndpointConfig, work: () => Promise<Result>): Promise<Result> {
    const running = work();
    this.#running.set(endpoint.name, running.catch(() => undefined));
    try {
      return await running;
    } finally {
      this.#running.delete(endpoint.name);
    }
  }

  /** @param asked a person wants to know */
  async #ask(endpoint: EndpointConfig, key: HandedKey | undefined, asked: boolean): Promise<ProbeResult> {
    const { clock, transport, faultInjector, directory } = this.#options;
    const startedAt = clock.now();
    this.#observedAt.set(endpoint.name, startedAt);
    this.#askedAt.set(endpoint.name, startedAt);
    const listModels = startedAt - this.#lastListed(endpoint.name) > modelListAgeMs;
    const drilled = faultInjector.matching(endpoint.name, { keyId: key?.id }) !== undefined;
    const probed = await probeEndpoint(transport, endpoint, key, { listModels, now: startedAt });
    const result = probed.models === undefined ? probed : { ...probed, models: withoutSecrets(probed.models, this.#options.redactor) };
    if (listModels && result.ok) this.#wrongLists.delete(endpoint.name);
    if (result.models !== undefined) directory.apply(endpoint.name, result.models, clock.now());
    // Between two lists the cheaper probes say nothing of models.
    if (result.ok && (listModels || !this.#listedAt.has(endpoint.name))) this.#listedAt.set(endpoint.name, listModels ? clock.now() : this.#lastListed(endpoint.name));
    this.#note(endpoint, key, drilled && result.error !== undefined ? { ...result, error: drillFailure(result.error) } : result, { drilled, startedAt, asked });
    return result;
  }

  #note(endpoint: EndpointConfig, key: HandedKey | undefined, result: ProbeResult, { drilled, startedAt, asked }: { drilled: boolean; startedAt: number; asked: boolean }): void {
    const { healthRegistry, keys, ledger, clock, redactor, faultInjector } = this.#options;
    // The drill ended meanwhile, and the health from before it is restored: an injected result must not change it.
    if (drilled && !faultInjector.isDrilled(endpoint.name)) return;
    const at = clock.now();
    const { error, latencyMs } = result;
    if (error?.failureClass === 'cancelled' || error?.failureClass === 'local') return;
    const message = error === undefined ? undefined : redactFailure(error, redactor).storedMessage;
    if (key !== undefined && asked && result.ok && keys.isRejected(endpoint.name, handleOf(key))) keys.revive(endpoint.name, handleOf(key), 'test', at);
    else if (key !== undefined && result.provedKey) keys.revive(endpoint.name, handleOf(key), 'probe', at);
    // A key that was known as rejected before, perhaps by a server that has ended since, raises no second notice.
    const knownDead = key !== undefined && error?.failureClass === 'auth' && keys.isRejected(endpoint.name, handleOf(key));
    if (key !== undefined && error !== undefined) keys.report(endpoint.name, handleOf(key), error.failureClass, at, error.retryAfterMs, { drill: drilled, scope: error.scope });
    // A key may be good for answers and not for the list of models.
    const mayNotList = error?.scope === 'key-model';
    const keyScoped = mayNotList || (error !== undefined && keys.pick(endpoint.name, new Set(), at) !== undefined && (error.failureClass === 'auth' || error.failureClass === 'quota'));
    healthRegistry.record({
      endpoint: endpoint.name, at, startedAt, kind: 'probe', asked: asked ? true : undefined, drill: drilled ? true : undefined, failureClass: error?.failureClass, scope: error?.scope, message, keyScoped, retryAfterMs: error?.retryAfterMs,
      code: error?.code, status: error?.status, networkKind: error === undefined ? undefined : networkKindOf(error.systemCode),
    });
    if (!drilled && result.ok && latencyMs !== undefined) this.#options.answered?.(endpoint.name, latencyMs);
    // Peers have no drill.
    if (!drilled) ledger.publishProbe({ endpoint: endpoint.name, at, ok: result.ok, kind: 'probe', failureClass: error?.failureClass, message, latencyMs });
    if (error !== undefined && !knownDead && !mayNotList) {
      if (error.failureClass === 'model-not-found') this.modelNotFound(endpoint.name);
      this.#options.failed({ endpoint: endpoint.name, failureClass: error.failureClass, scope: error.scope, code: error.code, message: message ?? error.message, helpUrl: error.helpUrl, key: key === undefined ? undefined : keys.fingerprintOf(endpoint.name, handleOf(key)) });
    }
    this.#options.changed();
  }
}
