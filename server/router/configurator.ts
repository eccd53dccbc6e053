import type { ConfigProblem } from '../api/status.ts';
import type { Clock } from '../base/clock.ts';
import type { SecretRegister } from '../base/secrets/redact.ts';
import type { Config, KeyRing } from '../config/config.ts';
import type { LearntRepairs } from '../exchange/learntRepairs.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import { secretsOf } from '../keys/authHeader.ts';
import { accountProblems } from '../keys/keyAccounts.ts';
import { withoutForeignKeys } from '../keys/foreignKeys.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import type { RateLimiter } from '../limits/rateLimiter.ts';
import type { ModelDirectory } from '../models/modelDirectory.ts';
import type { AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';
import type { Transport } from '../upstream/transport.ts';
import type { CurrentConfig } from './currentConfig.ts';
import type { FaultInjectionRunner } from './drills/faultInjectionRunner.ts';
import type { Pauses } from './endpoints/pauses.ts';
import type { EventLog } from './eventLog.ts';
import type { SharedCounts } from '../limits/replicas/sharedCounts.ts';
import type { StateConnection } from '../state/stateConnection.ts';
import type { SharedLedger } from './sharedLedger/sharedLedger.ts';
import type { Monitoring } from './monitoring/monitoring.ts';
import type { PeerSync } from './peerSync.ts';
import type { Replicas } from './replicas/replicas.ts';

export interface ConfiguratorOptions {
  current: CurrentConfig;
  register: Pick<SecretRegister, 'replace' | 'redact'>;
  keys: Pick<KeyPool, 'configure'>;
  healthRegistry: Pick<HealthRegistry, 'configure'>;
  limiter: Pick<RateLimiter, 'configure' | 'beat'>;
  timers: Pick<AdaptiveTimeouts, 'configure'>;
  transport: Pick<Transport, 'configure'>;
  directory: Pick<ModelDirectory, 'configure'>;
  repairs: Pick<LearntRepairs, 'configure'>;
  drills: Pick<FaultInjectionRunner, 'configured'>;
  eventLog: Pick<EventLog, 'problems'>;
  pauses: Pick<Pauses, 'readOnce'>;
  peers: Pick<PeerSync, 'warmUp' | 'expectReplicas'>;
  monitoring: Pick<Monitoring, 'configure'>;
  state: Pick<StateConnection, 'configure'>;
  sharedCounts: Pick<SharedCounts, 'configure'>;
  replicas: Pick<Replicas, 'configure'>;
  sharedLedger: Pick<SharedLedger, 'configure'>;
  clock: Clock;
  /** The state that a person sees has changed. */
  changed(): void;
}

/** The most secrets of earlier configurations that stay out of logs: requests that run still hold them. */
const mostRetired = 500;

/** Hands a configuration to every part that has a share in it. */
export class Configurator {
  readonly #parts: ConfiguratorOptions;
  /** Secrets of this configuration and of earlier ones, the oldest first. */
  #secrets: readonly string[] = [];

  constructor(options: ConfiguratorOptions) {
    this.#parts = options;
  }

  /** Adopts a configuration and its keys. Running exchanges continue with what they have. */
  configure(config: Config, keys: KeyRing, problems: readonly ConfigProblem[]): void {
    const parts = this.#parts;
    const { current, register } = parts;
    const isFirst = !current.isConfigured;
    // The register comes first: from here on no log line can hold one of the new secrets.
    const secrets = new Set([...[...keys.values()].flat().flatMap(secretsOf), ...proxySecrets(config), ...config.monitoring?.secrets ?? [], ...config.state?.secrets ?? [], ...config.ledger?.secrets ?? []]);
    this.#secrets = [...this.#secrets.filter(secret => !secrets.has(secret)).slice(-mostRetired), ...secrets];
    register.replace(this.#secrets);
    current.config = config;
    const own = withoutForeignKeys(config, keys);
    current.problems = [...problems, ...own.problems, ...accountProblems(config, keys)].map(problem => ({ ...problem, message: register.redact(problem.message) }));
    parts.keys.configure(own.ring, config.endpoints);
    parts.healthRegistry.configure(config.endpoints);
    parts.limiter.configure(config.endpoints);
    parts.limiter.beat(parts.clock.now());
    parts.timers.configure(config.endpoints);
    parts.transport.configure(config.endpoints, config.network);
    parts.directory.configure(config);
    parts.repairs.configure(config.endpoints.values(), parts.clock.now());
    parts.state.configure(config.state);
    parts.sharedCounts.configure(config.state);
    parts.sharedLedger.configure(config.ledger);
    parts.monitoring.configure(config);
    parts.drills.configured();
    parts.eventLog.problems(current.problems);
    // Before what was learnt in the last minutes: failures that were forgotten since do not count.
    parts.pauses.readOnce();
    if (config.state?.redis !== undefined) parts.peers.expectReplicas();
    parts.replicas.configure(config);
    if (isFirst) parts.peers.warmUp();
    parts.changed();
  }
}

function proxySecrets({ endpoints, network }: Config): string[] {
  const proxies = [network?.httpProxy, network?.httpsProxy, ...[...endpoints.values()].map(({ proxy }) => (proxy === 'none' ? undefined : proxy))];
  return proxies.flatMap(proxy => proxy?.secrets ?? []);
}
