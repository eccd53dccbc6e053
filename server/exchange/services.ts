import type { ProtocolName } from '../api/conversation.ts';
import type { PlannedTarget, Receipt } from '../api/receipt.ts';
import type { NetworkStatus } from '../api/status.ts';
import type { FailureClass } from '../api/failure.ts';
import type { Clock, Random } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Config, EndpointConfig } from '../config/config.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import type { HedgePolicy } from '../timeouts/hedgePolicy.ts';
import type { RateLimiter } from '../limits/rateLimiter.ts';
import type { AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';
import type { PriceRequest } from '../pricing/pricing.ts';
import type { ProtocolCodec } from '../protocols/codec.ts';
import type { MakePlan, RoutingView } from '../routing/plan.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import type { Transport } from '../upstream/transport.ts';
import type { ProviderMessages } from './providerMessages.ts';

/** Everything an exchange needs of the house; see yard.ts. */
export interface ExchangeServices {
  config(): Config;
  codecFor(protocol: ProtocolName): ProtocolCodec | undefined;
  makePlan: MakePlan;
  /** A sentence for a name that is neither route, model nor target. */
  unknownNameMessage(requestedModel: string): string;
  /** @param estimatedTokens of the prompt @param writableTokens that the answer may have at most; default 0 */
  view(estimatedTokens: number, writableTokens?: number): RoutingView;
  transport: Transport;
  healthRegistry: HealthRegistry;
  limiter: RateLimiter;
  /** Timers of attempts, learnt from earlier ones. */
  timers: AdaptiveTimeouts;
  hedges: HedgePolicy;
  /** Micro-dollars that second requests of a route have cost since midnight, in all windows, and what those that run here cost at least. */
  hedgeSpentToday(route: string): number;
  /** After how much silence a streaming caller hears something harmless, in milliseconds. */
  keepAliveMs: number;
  keys: KeyPool;
  clock: Clock;
  random: Random;
  log: Log;
  redact(text: string): string;
  /** The beginning of a text, redacted before it is cut; see SecretRegister. */
  excerpt(text: string, maxLength: number): string;
  /** Whether a known secret stands in the text. */
  holds(text: string): boolean;
  /** What providers said of failures; not stored. */
  providerMessages: ProviderMessages;
  /** What is wrong with the machine's own way to the network, if anything is. */
  networkTrouble(): NetworkStatus['kind'] | undefined;
  /** An exchange has begun; it is ticked about once a second until it settles. */
  started(run: TickedRun): void;
  /** An exchange has ended; its attempts are to be priced and written down. */
  settled(run: TickedRun, receipt: Receipt, prices: readonly PriceRequest[]): void;
  /** An attempt failed so that a person or another part of the house should know. */
  failed(endpoint: EndpointConfig, failureClass: FailureClass, message: string, helpUrl: string | undefined, code: string): void;
}

/** A running exchange as the house sees it. */
export interface TickedRun {
  readonly receipt: Receipt;
  /** Keeps a silent caller's connection alive. @param now milliseconds since the epoch */
  tick(now: number): void;
  /** Attempts and usage so far, for the ledger of a long stream. */
  progress(): Receipt;
  /** The second request that runs beside the first one, if one does. */
  hedgeUnderWay?(): HedgeUnderWay | undefined;
}

/** A second request whose cost is still to come. */
export interface HedgeUnderWay { route: string; target: Pick<PlannedTarget, 'endpoint' | 'model' | 'upstreamModel'>; promptTokens: number }
