import type { KeyMaterial } from '../../api/messages.ts';
import type { AttemptRole, PlannedTarget, RequestKind } from '../../api/receipt.ts';
import { WaybillError } from '../../base/failure.ts';
import type { EndpointConfig, RouteConfig, Timeouts } from '../../config/config.ts';
import { chooseProtocol } from '../../routing/chooseProtocol.ts';
import type { RateTicket } from '../../limits/rateLimiter.ts';
import { RequestFormatError } from '../../protocols/codec.ts';
import type { Requirements } from '../../routing/plan.ts';
import { lastFour } from '../../keys/keyPool.ts';
import { UpstreamAttempt } from './attempt.ts';
import type { AttemptStarted } from '../events.ts';
import type { StartedAttempt } from './record.ts';
import type { Refusal } from '../admission.ts';
import type { ExchangeFailure, ExchangeInput } from '../request.ts';
import { buildOutgoing, spokenBy, UntranslatableError } from './outgoing.ts';
import { RunningAttempt, type AttemptOwner } from './runningAttempt.ts';
import type { ExchangeServices } from '../services.ts';

/** One attempt as an exchange wants it. */
export interface LaunchOrder {
  input: ExchangeInput;
  target: PlannedTarget;
  number: number;
  role: AttemptRole | undefined;
  kind: RequestKind;
  route: RouteConfig | undefined;
  /** Ids of keys this exchange has used up at the endpoint. */
  triedKeys: ReadonlySet<string>;
  /** Send no reasoning that another provider made. */
  strip: boolean;
  /** Another target could take over, so this one may be given up sooner. */
  replaceable: boolean;
  /** Whether what comes before the first content waits for it, given whether other keys could still be tried. */
  held(anotherKey: () => boolean): boolean;
  /** The answer is read and written anew, although caller and target speak the same protocol. */
  rewrite: boolean;
}

export type Launch =
  | { kind: 'launched'; attempt: RunningAttempt }
  /** The target cannot be tried now; `unfit`: nor ever, for such a request. */
  | { kind: 'excluded'; reason: string; unfit?: true }
  /** The request itself cannot be sent anywhere. */
  | { kind: 'fatal'; failure: Omit<ExchangeFailure, 'exchangeId' | 'attempts'> };

/** Takes a place at the target: breaker, limits, key. */
export function acquirePermit(services: ExchangeServices, order: LaunchOrder): Place | Refusal | Promise<Place | Refusal> {
  const endpoint = services.config().endpoints.get(order.target.endpoint);
  return endpoint === undefined ? removed : takePlace(services, endpoint, order, services.clock.now());
}

const removed: Refusal & Launch = { admitted: false, kind: 'excluded', reason: 'the endpoint was removed meanwhile' };

/** Builds the request of an attempt; where that fails, its place is given back. */
export function launchAttempt(services: ExchangeServices, owner: AttemptOwner, order: LaunchOrder, place: Place): Launch {
  const { clock, timers } = services;
  const { input, target, kind, route } = order;
  const configured = services.config().endpoints.get(target.endpoint);
  const endpoint = configured === undefined ? undefined : chooseProtocol(configured, {
    model: target.model, upstreamModel: target.upstreamModel, tools: input.requirements.tools, ...spokenBy(input),
  });
  const codec = endpoint === undefined ? undefined : services.codecFor(endpoint.protocol);
  if (endpoint === undefined || codec === undefined) {
    place.refund();
    return removed;
  }
  const now = clock.now();
  const { key, trial, ticket } = place;
  try {
    const facts = services.view(0).facts(target.endpoint, target.model);
    const outgoing = buildOutgoing(input, target, endpoint, codec, key, facts.maxOutputTokens, order.strip);
    if (order.rewrite) outgoing.passThrough = false;
    const ofRoute = route?.timeouts;
    const asked = { endpoint, route: ofRoute, model: target.model, kind, stream: input.stream };
    const fullTimeouts = (): Timeouts => timers.timeouts({ ...asked, lastResort: true });
    const timeouts = order.replaceable ? timers.timeouts({ ...asked, lastResort: false }) : fullTimeouts();
    const started: StartedAttempt = {
      number: order.number, target: target.target, endpoint: target.endpoint, model: target.model,
      upstreamModel: target.upstreamModel, protocol: endpoint.protocol, keyLabel: key?.label,
      keyLast4: key === undefined ? undefined : lastFour(key.secret), keyId: key?.id, startedAt: now,
      role: order.role, kind, leftOut: outgoing.leftOut,
    };
    const announced: AttemptStarted = {
      exchangeId: input.id, target, endpoint, keyId: key?.id, number: order.number, role: order.role, stream: input.stream, trial, startedAt: now,
    };
    const attempt = new RunningAttempt(owner, { target, endpoint, key, trial, ticket, started, announced, timeouts, fullTimeouts });
    attempt.attach(new UpstreamAttempt({
      listener: attempt, outgoing, endpoint, stream: input.stream, now: () => clock.now(),
      timeouts,
      held: order.held(() => key !== undefined && usableKey(services, endpoint, target.model, input.requirements, new Set([...order.triedKeys, key.id])) !== undefined),
      finishSuffices: order.rewrite,
      wholeCalls: order.rewrite || input.protocol === 'gemini' || input.protocol === 'editor',
      refusalFails: asksOnRefusal(route, input),
      source: {
        endpoint: endpoint.name, provider: endpoint.provider, model: target.model, keyName: key === undefined ? undefined : keyName(key),
        asked: text => (input.raw === undefined ? JSON.stringify(input.conversation()).includes(text) : input.raw.bytes.includes(text)),
      },
    }));
    return { kind: 'launched', attempt };
  } catch (error) {
    place.refund();
    return unsendable(error, target, services, input.id);
  }
}

/** A place at a target: its key, where it has one, and what has to be given back. */
export interface Place { admitted: true; key: KeyMaterial | undefined; trial: boolean; ticket: RateTicket; refund(): void }

function takePlace(services: ExchangeServices, endpoint: EndpointConfig, { target, input, role, triedKeys }: LaunchOrder, now: number): Place | Refusal {
  const { healthRegistry, limiter, keys } = services;
  const { estimatedInputTokens, maxOutputTokens } = input.requirements;
  let key = usableKey(services, endpoint, target.model, input.requirements, triedKeys);
  if (key === undefined && (endpoint.provider.keyRequired || keys.all(endpoint.name).length > 0)) {
    return { admitted: false, reason: services.view(estimatedInputTokens, maxOutputTokens).keysBlocked(endpoint.name, target.model)?.reason ?? 'no key of it can be used now' };
  }
  const admission = healthRegistry.enter(target.endpoint, target.model, now, role === 'last-resort' ? { force: true } : undefined);
  if (!admission.admitted) return { admitted: false, reason: admission.reason };
  let usedUp: Set<string> | undefined;
  for (;;) {
    const entry = limiter.enter(target.endpoint, key?.id, target.model, estimatedInputTokens, now, maxOutputTokens ?? 0);
    if (entry.admitted) {
      const { ticket } = entry;
      return {
        admitted: true, key, trial: admission.trial, ticket,
        refund: () => {
          healthRegistry.release(target.endpoint, target.model, admission.trial);
          limiter.refund(ticket);
        },
      };
    }
    // What other windows used of a key shows only when it is taken: then the next key is tried.
    const next = entry.ofKey === true && key !== undefined ? usableKey(services, endpoint, target.model, input.requirements, (usedUp ??= new Set(triedKeys)).add(key.id)) : undefined;
    if (next === undefined) {
      healthRegistry.release(target.endpoint, target.model, admission.trial);
      return { admitted: false, reason: entry.reason };
    }
    key = next;
  }
}

/** The editor can be asked whether another model may answer what one refused. */
export function asksOnRefusal(route: RouteConfig | undefined, input: ExchangeInput): boolean {
  return route?.onRefusal === 'ask' && input.protocol === 'editor';
}

function unsendable(error: unknown, target: PlannedTarget, services: ExchangeServices, id: string): Launch {
  if (error instanceof UntranslatableError) return { kind: 'excluded', reason: error.reason, unfit: true };
  if (error instanceof RequestFormatError) {
    return { kind: 'fatal', failure: { error: new WaybillError('bad-request', 'bad-request', `The request cannot be understood: ${error.message}.`, { status: 400 }) } };
  }
  // Whatever else went wrong is ours, and ends this exchange only. A body nested too deep for the machine is the caller's.
  services.log.error(`exchange ${id} could not be sent to ${target.target}`, error);
  const tooDeep = error instanceof RangeError;
  const failure = tooDeep
    ? { error: new WaybillError('bad-request', 'bad-request', 'The request is nested too deep to be understood.', { status: 400 }), status: 400 }
    : { error: new WaybillError('internal', 'server', 'Waybill failed at this request; its log says more.', { status: 500 }), status: 500 };
  return { kind: 'fatal', failure };
}

/** The first key that is neither resting nor tried, and whose limits leave room for the request. */
export function usableKey(
  services: ExchangeServices, endpoint: EndpointConfig, model: string, { estimatedInputTokens, maxOutputTokens }: Requirements, tried: ReadonlySet<string>,
): KeyMaterial | undefined {
  const now = services.clock.now();
  const permits = (key: KeyMaterial): boolean => services.limiter.keyAdmission(endpoint.name, key.id, model, estimatedInputTokens, now, maxOutputTokens).admitted;
  return services.keys.pick(endpoint.name, tried, now, permits, model);
}

function keyName(key: KeyMaterial): string {
  const last4 = lastFour(key.secret);
  return last4 === '' ? key.label : `${key.label} …${last4}`;
}
