import type { ProtocolName } from '../api/conversation.ts';
import type { Cost } from '../api/receipt.ts';
import type { NetworkStatus } from '../api/status.ts';
import type { Clock, Random } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Redactor } from '../base/secrets/redact.ts';
import type { Config } from '../config/config.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import type { Allowances } from '../limits/allowances/allowances.ts';
import type { BudgetBook } from '../limits/budgets/budgetBook.ts';
import type { PriceRequest } from '../pricing/pricing.ts';
import type { HedgePolicy } from '../timeouts/hedgePolicy.ts';
import type { AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';
import type { ProtocolCodec } from '../protocols/codec.ts';
import type { MakePlan, RoutingView } from '../routing/plan.ts';
import type { DecisionMemory } from '../routing/purpose/decisionMemory.ts';
import type { ResolvedTarget, RouteTable } from '../routing/routeTable.ts';
import type { SignalRequest } from '../routing/signals.ts';
import type { Dispatcher } from '../upstream/call.ts';
import type { AdmissionControl } from './admission.ts';
import type { ResponseCache } from './cache/responseCache.ts';
import type { LearntRepairs } from './learntRepairs.ts';
import type { ProviderMessages } from './providerMessages.ts';
import type { ExchangePublisher } from './publisher.ts';

/** What exchanges under caps ask of the rest of the server. */
export interface Spending {
  readonly allowances: Pick<Allowances, 'left' | 'allow' | 'turn' | 'session'>;
  /** What the request is expected to cost at the target, in millionths of a US dollar; undefined where no price is known. */
  expectedMicroUsd(target: ResolvedTarget, request: SignalRequest): number | undefined;
  /** What an attempt cost. */
  cost(price: PriceRequest): Cost;
  /** Prices are still being loaded; undefined: they are known as far as they can be. */
  pricesReady(): Promise<void> | undefined;
  /** Absent: there is none. */
  readonly budgets?: Pick<BudgetBook, 'of' | 'ready' | 'rehearsed' | 'whyUnread'> | undefined;
  /** What tells the window of the editor from others. */
  readonly window: string;
}

/** How targets learn of the trace that an attempt belongs to. */
export interface TracePassing {
  /** Undefined: no target learns of any. It answers undefined where the endpoint is told nothing. @param attempt its number within the exchange */
  headers: ((exchangeId: string, attempt: number, endpoint: string) => Readonly<Record<string, string>> | undefined) | undefined;
}

/** What exchanges use of the rest of the server, and nothing else. Texts that leave an exchange go through the redactor. */
export interface ExchangeServices extends Redactor {
  config(): Config;
  codecFor(protocol: ProtocolName): ProtocolCodec | undefined;
  makePlan: MakePlan;
  /** What conversations were taken for. */
  decisions: DecisionMemory;
  /** A sentence for a name that is neither route, model nor target. */
  unknownNameMessage(requestedModel: string): string;
  /** The configuration as plans read it. */
  routeTable(): RouteTable;
  /** @param estimatedTokens of the prompt @param writableTokens that the answer may have at most; default 0 */
  view(estimatedTokens: number, writableTokens?: number): RoutingView;
  transport: Dispatcher;
  healthRegistry: Pick<HealthRegistry, 'bestUnavailable' | 'isOffline'>;
  /** Key, breaker and limits, taken together. */
  admission: AdmissionControl;
  /** Timers of attempts, learnt from earlier ones. */
  timers: Pick<AdaptiveTimeouts, 'timeouts' | 'hedgeAfterMs'>;
  spending: Spending;
  hedges: HedgePolicy;
  /** Micro-dollars that second requests of a route have cost since midnight, in all processes, and what those that run here cost at least. */
  hedgeSpentToday(route: string): number;
  /** After how much silence a streaming caller gets something harmless, in milliseconds. */
  keepAliveMs: number;
  clock: Clock;
  random: Random;
  log: Log;
  /** The sentences of providers about failures; not stored. */
  providerMessages: ProviderMessages;
  /** Answers that routes keep. */
  responses: ResponseCache;
  /** What targets refused by name. */
  repairs: LearntRepairs;
  /** What is wrong with the machine's own way to the network, if anything is. */
  networkTrouble(): NetworkStatus['kind'] | undefined;
  tracePassing: TracePassing;
  /** Everything that learns from exchanges listens here. */
  events: ExchangePublisher;
}
