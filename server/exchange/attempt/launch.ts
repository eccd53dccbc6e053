import type { AttemptRole, PlannedTarget, RequestKind } from '../../api/receipt.ts';
import { WaybillError } from '../../base/failure.ts';
import type { EndpointConfig, RouteConfig, Timeouts } from '../../config/config.ts';
import { chooseProtocol } from '../../routing/chooseProtocol.ts';
import { RequestFormatError, type ProtocolCodec } from '../../protocols/codec.ts';
import type { SpendTerms } from '../../routing/caps/allowance.ts';
import { counts, whyUnpriced } from '../../routing/caps/allowance.ts';
import type { ResolvedTarget } from '../../routing/routeTable.ts';
import { handleOf, type HandedKey } from '../../keys/keyHandles.ts';
import type { SignalRequest } from '../../routing/signals.ts';
import { lastFour } from '../../keys/keyPool.ts';
import { UpstreamAttempt, type AttemptOwner } from './attempt.ts';
import type { AttemptStarted } from '../events.ts';
import type { StartedAttempt } from './record.ts';
import { mentions, type ExchangeFailure, type ExchangeInput } from '../request.ts';
import type { AdmissionRequest, Admitted, KeyRequest, Permit } from '../admission.ts';
import { buildOutgoing, spokenBy, UntranslatableError } from './outgoing.ts';
import { formOf } from '../learntRepairs.ts';
import { writableTokens } from '../../routing/plan.ts';
import type { ExchangeServices } from '../services.ts';

/** One attempt as an exchange orders it. */
export interface LaunchOrder {
  input: ExchangeInput;
  target: PlannedTarget;
  /** Counts from 1 within the exchange. */
  number: number;
  role: AttemptRole | undefined;
  kind: RequestKind;
  route: RouteConfig | undefined;
  /** Handles of keys that this exchange has used up at the endpoint. */
  triedKeys: ReadonlySet<string>;
  /** The conversation that the request belongs to; absent where no key is chosen by it. */
  conversation?: string | undefined;
  /** Reasoning that another provider made is left out. */
  strip: boolean;
  /** Another target could take over, so shorter timeouts may end this attempt. */
  replaceable: boolean;
  /** Whether lifecycle events wait for the first content. @param anotherKey whether another key could still be tried */
  held(anotherKey: () => boolean): boolean;
  /** The answer is decoded and encoded again, although caller and target speak the same protocol. */
  rewrite: boolean;
  /** What the caller gets is written down. */
  records?: boolean | undefined;
  /** What its attempts may cost together, and the request as its cost is expected; absent: nothing caps it. */
  spend?: { readonly terms: SpendTerms; readonly request: SignalRequest } | undefined;
}

export type Launch =
  | { kind: 'launched'; attempt: UpstreamAttempt }
  /** The target cannot be tried now. `unfit`: it can never serve such a request. */
  | { kind: 'excluded'; reason: string; unfit?: true }
  /** The request itself cannot be sent anywhere. */
  | { kind: 'fatal'; failure: Omit<ExchangeFailure, 'exchangeId' | 'attempts'> };

const removedMeanwhile = 'the endpoint was removed meanwhile';

/** Asks for leave to make an attempt. @returns a promise only where `admission` answers with one */
export function acquirePermit(services: PermitServices, order: LaunchOrder): Admitted | Promise<Admitted> {
  const { target, spend } = order;
  const resolved = services.routeTable().target(target.endpoint, target.model);
  if (resolved === undefined) return { admitted: false, reason: removedMeanwhile };
  if (spend === undefined) return acquire(services, order, resolved, undefined);
  // What was spent before the server began is known a moment after its start.
  const budgets = services.spending.budgets?.ready();
  if (budgets !== undefined) return budgets.then(() => acquirePermit(services, order));
  const microUsd = services.spending.expectedMicroUsd(resolved, spend.request);
  const prices = microUsd === undefined ? services.spending.pricesReady() : undefined;
  if (prices !== undefined) return prices.then(() => acquirePermit(services, order));
  const { terms } = spend;
  const allowances = terms.allowances.every(one => counts(one, target.endpoint)) ? terms.allowances : terms.allowances.filter(one => counts(one, target.endpoint));
  const unread = services.spending.budgets?.whyUnread(allowances);
  if (unread !== undefined) return { admitted: false, reason: unread };
  if (microUsd === undefined) {
    const reason = whyUnpriced(terms, services.spending.allowances.left(terms.allowances), target.endpoint);
    if (reason !== undefined) return { admitted: false, reason };
  }
  return acquire(services, order, resolved, { allowances, microUsd: Math.ceil(microUsd ?? 0) });
}

type PermitServices = Pick<ExchangeServices, 'routeTable' | 'admission' | 'spending'>;

function acquire({ admission }: PermitServices, { target, input, triedKeys, role, conversation }: LaunchOrder, { endpoint }: ResolvedTarget, spend: AdmissionRequest['spend']): Admitted | Promise<Admitted> {
  const { requirements } = input;
  return admission.acquire({ endpoint, model: target.model, estimatedInputTokens: requirements.estimatedInputTokens, maxOutputTokens: writableTokens(requirements), excludedKeys: triedKeys, lastResort: role === 'last-resort', conversation, exchange: input.id, spend });
}

/**
 * Builds the request of an attempt and makes the attempt ready to start. The permit goes with a launched attempt, which
 * gives it back at its end; otherwise it is refunded here, because nothing was sent.
 */
export function launchAttempt(services: ExchangeServices, owner: AttemptOwner, order: LaunchOrder, permit: Permit): Launch {
  try {
    const attempt = prepareAttempt(services, owner, order, permit);
    if (attempt !== undefined) return { kind: 'launched', attempt };
    permit.refund();
    return { kind: 'excluded', reason: removedMeanwhile };
  } catch (error) {
    permit.refund();
    return unsendable(error, order.target, services, order.input.id);
  }
}

/** A target at the moment of the launch: its endpoint with the protocol that is spoken and the address of it, and the codec. */
interface LaunchTarget { resolved: ResolvedTarget; endpoint: EndpointConfig; codec: ProtocolCodec }

/** All look-ups of a launch. @returns undefined where the configuration no longer has the endpoint */
function launchTarget(services: ExchangeServices, { target, input }: LaunchOrder): LaunchTarget | undefined {
  const resolved = services.routeTable().target(target.endpoint, target.model);
  if (resolved === undefined) return undefined;
  const endpoint = chooseProtocol(resolved.protocols, { tools: input.requirements.tools, ...spokenBy(input) });
  const codec = services.codecFor(endpoint.protocol);
  return codec === undefined ? undefined : { resolved, endpoint, codec };
}

function prepareAttempt(services: ExchangeServices, owner: AttemptOwner, order: LaunchOrder, permit: Permit): UpstreamAttempt | undefined {
  const { clock, timers } = services;
  const { input, target, kind, route } = order;
  const { key } = permit;
  const spoken = launchTarget(services, order);
  if (spoken === undefined) return undefined;
  const { resolved, endpoint, codec } = spoken;
  const repairs = services.repairs.of(endpoint, formOf(input.body.kind, endpoint.protocol), target.upstreamModel, clock.now());
  const outgoing = buildOutgoing({
    input, target, endpoint, codec, key, maxOutputTokens: resolved.facts.maxOutputTokens, contextWindow: resolved.facts.contextWindow, stripReasoning: order.strip, repairs,
  });
  const trace = services.tracePassing.headers?.(input.id, order.number, endpoint.name);
  // What the user wrote as a header of the endpoint stays.
  if (trace !== undefined) outgoing.request.headers = { ...trace, ...outgoing.request.headers };
  if (order.rewrite) outgoing.passThrough = false;
  const asked = { endpoint, route: route?.timeouts, model: target.model, kind, stream: input.stream };
  const fullTimeouts = (): Timeouts => timers.timeouts({ ...asked, lastResort: true });
  const timeouts = order.replaceable ? timers.timeouts({ ...asked, lastResort: false }) : fullTimeouts();
  const startedAt = clock.now();
  const started: StartedAttempt = {
    number: order.number, target: target.target, endpoint: target.endpoint, provider: endpoint.provider.id, model: target.model,
    upstreamModel: target.upstreamModel, protocol: endpoint.protocol, keyLabel: key?.label,
    keyLast4: key === undefined ? undefined : lastFour(key.secret), keyId: key?.id, startedAt,
    role: order.role, kind, leftOut: outgoing.leftOut, changes: outgoing.changes,
  };
  const announced: AttemptStarted = {
    exchangeId: input.id, target, endpoint, keyId: key === undefined ? undefined : handleOf(key), number: order.number, role: order.role, stream: input.stream, trial: permit.trial, startedAt,
  };
  const anotherKey = (): boolean => key !== undefined
    && services.admission.hasUsableKey(keyRequest(endpoint, target.model, input, order.triedKeys.size === 0 ? onlyKey(key) : new Set([...order.triedKeys, handleOf(key)])));
  return new UpstreamAttempt({
    owner, origin: { target, resolved, endpoint, key, permit, repairs, stripped: order.strip, started, announced, timeouts, fullTimeouts }, outgoing, stream: input.stream, clock,
    holdsPrelude: order.held(anotherKey),
    finishSuffices: order.rewrite,
    records: order.records,
    wholeCalls: order.rewrite || input.protocol === 'gemini' || input.protocol === 'editor',
    refusalFails: asksOnRefusal(route, input),
    source: {
      endpoint: endpoint.name, provider: endpoint.provider, model: target.model, upstreamModel: target.upstreamModel, keyName: key === undefined ? undefined : keyName(key),
      asked: text => mentions(input.body, text),
    },
  });
}

const onlyKeys = new WeakMap<HandedKey, ReadonlySet<string>>();

/** The set that holds the handle of one key, made once for each key. */
function onlyKey(key: HandedKey): ReadonlySet<string> {
  let only = onlyKeys.get(key);
  if (only === undefined) onlyKeys.set(key, only = new Set([handleOf(key)]));
  return only;
}

/** What the choice of a key for a request depends on. @param excludedKeys handles of keys that are not to be used @param lastResort a refused key may do */
export function keyRequest(endpoint: EndpointConfig, model: string, { requirements }: ExchangeInput, excludedKeys: ReadonlySet<string>, lastResort = false): KeyRequest {
  return { endpoint, model, estimatedInputTokens: requirements.estimatedInputTokens, maxOutputTokens: writableTokens(requirements), excludedKeys, lastResort };
}

/** Whether somebody waits for the answer in the editor and can be asked. Nobody knows of an errand of the editor, such as the title of a chat. */
export function hasReader({ protocol, caller: { purpose } }: Pick<ExchangeInput, 'protocol' | 'caller'>): boolean {
  return protocol === 'editor' && purpose !== 'utility';
}

/** Whether the reader is asked if another model may answer what one refused. */
export function asksOnRefusal(route: RouteConfig | undefined, input: ExchangeInput): boolean {
  return route?.onRefusal === 'ask' && hasReader(input);
}

function unsendable(error: unknown, target: PlannedTarget, services: ExchangeServices, id: string): Launch {
  if (error instanceof UntranslatableError) return { kind: 'excluded', reason: error.reason, unfit: true };
  if (error instanceof RequestFormatError) {
    return { kind: 'fatal', failure: { error: new WaybillError('bad-request', 'bad-request', `The request cannot be understood: ${error.message}.`, { status: 400 }) } };
  }
  // Any other error is a fault of Waybill and ends this exchange only. A body nested too deep for the stack is the caller's fault.
  services.log.error(`exchange ${id} could not be sent to ${target.target}`, error);
  const tooDeep = error instanceof RangeError;
  const failure = tooDeep
    ? { error: new WaybillError('bad-request', 'bad-request', 'The request is nested too deep to be understood.', { status: 400 }), status: 400 }
    : { error: new WaybillError('internal', 'server', 'Waybill failed at this request; its log says more.', { status: 500 }), status: 500 };
  return { kind: 'fatal', failure };
}

function keyName(key: HandedKey): string {
  const last4 = lastFour(key.secret);
  return last4 === '' ? key.label : `${key.label} …${last4}`;
}
