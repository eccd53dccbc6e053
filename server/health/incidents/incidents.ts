import type { FailureClass } from '../../api/failure.ts';
import { mostTouched, type Incident, type TouchedRequest } from '../../api/reports/incidents.ts';
import type { Attempt } from '../../api/receipt.ts';
import type { HealthEvent } from '../../ledger/ports.ts';
import type { UsedExchange } from '../../ledger/usedExchange.ts';

/** What a request cost more than it would have cost at the target that failed first. Undefined: not known. In micro-dollars. */
export type ExtraCost = (exchange: UsedExchange, failed: Attempt) => { microUsd: number; estimated: boolean } | undefined;

/** Failures so soon after an endpoint answered belong to the incident before. */
const mergeMs = 120_000;
/** After so long without a failure, the next one is another incident, also where nothing was asked there meanwhile. */
const quietMs = 1_800_000;
/** Events beyond so many are not looked at, so that a report has a bound; the oldest are left out. */
const mostEvents = 500_000;

interface Failure { failureClass: FailureClass; status: number | undefined; message: string | undefined; probe: boolean; request: TouchedRequest | undefined; extra: (() => ReturnType<ExtraCost>) | undefined; answeredAt: string | undefined }

/** @property failure absent: it answered */
interface Event { endpoint: string; at: number; probe: boolean; failure: Failure | undefined }

interface Open { incident: Incident; causes: Map<string, Incident['causes'][number]>; answered: Map<string, number>; seen: Set<string>; recoveredAt: number | undefined; last: Failure }

/** Finds the times in which endpoints failed, from what the ledger has. Pure; what is handed in stays as it is. */
export class IncidentBook {
  readonly #extra: ExtraCost;
  readonly #mostEvents: number;
  #events: Event[] = [];

  /** @param mostEventsKept events beyond so many are not looked at */
  constructor(extra: ExtraCost, mostEventsKept = mostEvents) {
    this.#extra = extra;
    this.#mostEvents = mostEventsKept;
  }

  /** Takes in an exchange that has ended. */
  addExchange(exchange: UsedExchange): void {
    const { id, startedAt, outcome, attempts } = exchange;
    const answer = outcome === 'ok' ? attempts.findLast(attempt => attempt.outcome === 'ok' && !isShadow(attempt)) : undefined;
    let counted = false;
    for (const attempt of attempts) {
      if (attempt.drill === true || isShadow(attempt)) continue;
      const at = attempt.startedAt + attempt.totalMs;
      const { endpoint, failureClass } = attempt;
      if (attempt.outcome === 'ok') this.#push({ endpoint, at, probe: false, failure: undefined });
      if (attempt.outcome !== 'failed' || failureClass === undefined || !isTrouble(failureClass)) continue;
      const isFirst = !counted;
      counted = true;
      this.#push({
        endpoint, at, probe: false, failure: {
          failureClass, status: attempt.status, message: attempt.message, probe: false, request: { id, startedAt, ...(answer === undefined ? {} : { answeredBy: answer.target }) },
          extra: isFirst ? () => this.#extra(exchange, attempt) : undefined, answeredAt: answer?.endpoint,
        },
      });
    }
  }

  addProbe({ endpoint, at, ok, failureClass, message }: HealthEvent): void {
    const known = failureClass as FailureClass | undefined;
    if (!ok && (known === undefined || !isTrouble(known))) return;
    this.#push({ endpoint, at, probe: true, failure: ok || known === undefined ? undefined : { failureClass: known, status: undefined, message, probe: true, request: undefined, extra: undefined, answeredAt: undefined } });
  }

  /** The incidents so far, the newest first. */
  incidents(): Incident[] {
    const found: Incident[] = [];
    const open = new Map<string, Open>();
    const close = (endpoint: string, one: Open): void => {
      open.delete(endpoint);
      found.push(finished(one));
    };
    for (const { endpoint, at, probe, failure } of this.#events.sort((a, b) => a.at - b.at)) {
      const known = open.get(endpoint);
      if (failure === undefined) {
        if (known !== undefined && known.recoveredAt === undefined && (!probe || probeDisproves(known.last))) known.recoveredAt = at;
        continue;
      }
      if (known !== undefined && at - (known.recoveredAt ?? known.incident.lastFailureAt) > (known.recoveredAt === undefined ? quietMs : mergeMs)) close(endpoint, known);
      const one = open.get(endpoint) ?? begun(endpoint, at, failure);
      open.set(endpoint, one);
      addFailure(one, failure, at);
    }
    for (const [endpoint, one] of open) close(endpoint, one);
    return found.sort((a, b) => b.from - a.from);
  }

  #push(event: Event): void {
    this.#events.push(event);
    // Exchanges and probes come one after the other, so the oldest are not the first.
    if (this.#events.length > this.#mostEvents) this.#events = this.#events.sort((a, b) => a.at - b.at).slice(-Math.ceil(this.#mostEvents / 2));
  }
}

/** Failures that say something about an endpoint, a key or an account, and nothing about the request or this machine. */
function isTrouble(failureClass: FailureClass): boolean {
  switch (failureClass) {
    case 'network': case 'timeout': case 'server': case 'overloaded': case 'rate-limit': case 'quota': case 'auth': return true;
    case 'context-overflow': case 'content-policy': case 'model-not-found': case 'bad-request': case 'local': case 'cancelled': return false;
  }
}

function isShadow({ role }: Pick<Attempt, 'role'>): boolean {
  return (role as string | undefined)?.startsWith('shadow') === true;
}

/** A probe shows that an endpoint can be reached and takes the key; it does not show that prompts are answered. */
function probeDisproves({ probe, failureClass }: Failure): boolean {
  return probe || failureClass === 'network' || failureClass === 'timeout' || failureClass === 'auth';
}

function begun(endpoint: string, at: number, last: Failure): Open {
  return {
    incident: { endpoint, from: at, lastFailureAt: at, causes: [], requests: 0, unanswered: 0, answeredBy: [], extraMicroUsd: 0, extraEstimated: false, extraUnknown: 0, touched: [] },
    causes: new Map(), answered: new Map(), seen: new Set(), recoveredAt: undefined, last,
  };
}

function addFailure(one: Open, failure: Failure, at: number): void {
  const { incident, causes, answered, seen } = one;
  const { failureClass, status, message, request, extra, answeredAt } = failure;
  one.recoveredAt = undefined;
  one.last = failure;
  incident.lastFailureAt = at;
  if (message !== undefined) incident.message = message;
  const cause = `${failureClass} ${String(status)}`;
  const before = causes.get(cause);
  if (before === undefined) causes.set(cause, { failureClass, ...(status === undefined ? {} : { status }), times: 1 });
  else before.times += 1;
  if (request === undefined || seen.has(request.id)) return;
  seen.add(request.id);
  incident.requests += 1;
  incident.touched.push(request);
  if (incident.touched.length > mostTouched) incident.touched.shift();
  if (answeredAt === undefined) incident.unanswered += 1;
  else answered.set(answeredAt, (answered.get(answeredAt) ?? 0) + 1);
  if (extra === undefined) return;
  const cost = extra();
  if (cost === undefined) {
    incident.extraUnknown += 1;
    return;
  }
  incident.extraMicroUsd += cost.microUsd;
  incident.extraEstimated ||= cost.estimated;
}

function finished({ incident, causes, answered, recoveredAt }: Open): Incident {
  return {
    ...incident, ...(recoveredAt === undefined ? {} : { until: recoveredAt }), touched: incident.touched.reverse(),
    causes: [...causes.values()].sort((a, b) => b.times - a.times),
    answeredBy: [...answered].map(([endpoint, requests]) => ({ endpoint, requests })).sort((a, b) => b.requests - a.requests),
  };
}
