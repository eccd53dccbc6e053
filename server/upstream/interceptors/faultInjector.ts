import type { ProtocolName } from '../../api/conversation.ts';
import type { RunningDrill } from '../../api/drill.ts';
import { systemClock, type Clock } from '../../base/clock.ts';
import { WaybillError } from '../../base/failure.ts';
import { isCoolingDown } from '../../base/cooldownSpan.ts';
import { canonicalModelName } from '../../catalog/modelNames.ts';
import { codecFor } from '../../protocols/registry.ts';
import type { UpstreamRequest } from '../call.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';

/** The model and the key of a request, by which drills select. */
type About = UpstreamRequest['about'];

/** An injected answer, in the shape the provider would have sent. */
export interface RefusalAnswer { status: number; headers: ResponseHeaders; body: Buffer }

/** An injected rate limit asks for no longer pause than this. */
const longestRetryAfterMs = 30_000;
const drillPrefix = 'Fire drill: ';

/**
 * The fire drills that run now. `faultInjection` asks at each request whether a drill matches it; while none runs, that
 * costs one comparison. A drill also ends by the clock, so that a late timer does not lengthen it.
 */
export class FaultInjector {
  #running: RunningDrill[] = [];
  #clock: Clock;
  /** Callbacks that release delayed answers, by the id of their drill; called when the drill ends. */
  #held = new Map<string, Set<() => void>>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  get running(): readonly RunningDrill[] {
    return this.#running;
  }

  begin(drill: RunningDrill): void {
    this.#running = [...this.#running, drill];
  }

  /** Ends a drill: answers that it delays are released at once. Ending one twice is safe. */
  end(id: string): void {
    this.#running = this.#running.filter(drill => drill.id !== id);
    const held = this.#held.get(id);
    this.#held.delete(id);
    for (const release of held ?? []) release();
  }

  /**
   * The drill that applies to a request.
   * @param about absent for a request that concerns neither a model nor a key
   */
  matching(endpoint: string, about: About): RunningDrill | undefined {
    if (this.#running.length === 0) return undefined;
    const now = this.#clock.now();
    return this.#running.find(drill => drill.endpoint === endpoint && isUnderWay(drill, now) && concerns(drill, about));
  }

  /** Whether a drill concerns this endpoint or a part of it, so that its failures may be injected ones. */
  isDrilled(endpoint: string): boolean {
    return this.#running.some(drill => drill.endpoint === endpoint);
  }

  /** Has `release` called when the drill ends. @returns a function that takes it back */
  hold(id: string, release: () => void): () => void {
    const held = this.#held.get(id) ?? new Set();
    held.add(release);
    this.#held.set(id, held);
    return () => { held.delete(release); };
  }

  /** The refusal that a drilled endpoint answers with. @param protocol whose shape the body has */
  refusal(drill: RunningDrill, protocol: ProtocolName): RefusalAnswer {
    const leftMs = Math.max(1000, Math.min(longestRetryAfterMs, drill.until - this.#clock.now()));
    const status = drill.fault === 'rate-limit' ? 429 : 401;
    const message = status === 429 ? 'Rate limit reached (a fire drill of Waybill).' : 'Invalid API key (a fire drill of Waybill).';
    const body = Buffer.from(JSON.stringify(codecFor(protocol).encodeRefusal(status, message)));
    return {
      status, body,
      headers: {
        'content-type': 'application/json', 'content-length': String(body.length),
        ...(status === 429 ? { 'retry-after': String(Math.ceil(leftMs / 1000)) } : {}),
      },
    };
  }
}

/** Whether a drill's time is running. A clock that was set back ends the drill: how much of its time has passed is unknown. */
export function isUnderWay({ startedAt, until }: RunningDrill, now: number): boolean {
  return isCoolingDown({ since: startedAt, until }, now);
}

/** A probe is about no model: neither a drill of one model nor one that truncates streams concerns it. */
function concerns(drill: RunningDrill, about: About): boolean {
  if (drill.keyId !== undefined && about?.keyId !== drill.keyId) return false;
  if (drill.model !== undefined) return about?.model === drill.model || (about?.model !== undefined && canonicalModelName(about.model) === drill.model);
  return drill.fault !== 'cut' || about?.model !== undefined;
}

/** The failure of a connection that fault injection refuses, as if nothing listened there. */
export function injectedRefusal(endpoint: string): WaybillError {
  return new WaybillError('connection-refused', 'network', `${drillPrefix}${endpoint} refused the connection.`, { systemCode: 'ECONNREFUSED', injected: true });
}

/** The failure of an answer that fault injection truncates, as if the connection had been reset. */
export function injectedCut(endpoint: string): WaybillError {
  return new WaybillError('stream-cut', 'server', `${drillPrefix}${endpoint} broke the connection in mid-answer.`, { systemCode: 'ECONNRESET', injected: true });
}

/**
 * The failure of a request that met a drill, with a message that says so. It gives no advice and no help page: no key has
 * to be replaced, and no bill to be paid. Idempotent.
 */
export function drillFailure(error: WaybillError): WaybillError {
  if (error.injected === true) return error;
  const { status, retryAfterMs, ownSentence, detail, providerCode, systemCode, namesKeyOwner, scope, cause } = error;
  return new WaybillError(error.code, error.failureClass, drillPrefix + error.statement, {
    status, retryAfterMs, detail, providerCode, systemCode, namesKeyOwner, scope, cause, injected: true,
    ownSentence: ownSentence === undefined ? undefined : drillPrefix + ownSentence,
  });
}
