import { failureClasses } from '../../server/api/failure.ts';
import type { Counted } from './providerMessages.ts';
import type { LedgerAttempt, LedgerExchange } from './ledgerRows.ts';
import type { Verdict } from './judge.ts';
import { chaosPrices } from './routerConfig.ts';

/** What the caller of one request received, judged. */
export interface JudgedReply { nonce: string; verdict: Verdict; status: number | undefined; target: string | undefined; exchange: string | undefined }

/** Figures that the ledger and the providers count independently of each other. */
export interface Sums { attempts: number; inputTokens: number; outputTokens: number; microUsd: number }

export interface LedgerVerdict {
  violations: string[];
  /** Whole answers that the router took for such: what the ledger says. */
  ledger: Sums;
  /** The same answers as their providers counted them. */
  providers: Sums;
  attempts: number;
  /** Attempts no provider saw, because they were refused, reset or given up before. */
  unseen: number;
  estimated: number;
  byRole: Record<string, number>;
}

/** Failure classes that none of the faults may lead to. */
const neverMeant = new Set(['bad-request', 'content-policy', 'context-overflow', 'model-not-found', 'quota']);

/** Statuses by which callers learn of a class, in one protocol or another; 503 also stands for several classes together, 200 for a stream that had begun. */
const statusesOf: Readonly<Record<string, readonly number[]>> = {
  'rate-limit': [429], 'overloaded': [529], 'timeout': [504], 'auth': [502, 400], 'server': [], 'network': [],
};

/** Streaming callers receive something at least this often. */
const keptAliveMs = 14_000;

/** Compares the ledger with what callers received and what providers counted. */
export function judgeLedger(exchanges: readonly LedgerExchange[], replies: readonly JudgedReply[], counted: readonly Counted[]): LedgerVerdict {
  const result: LedgerVerdict = {
    violations: [], ledger: nothing(), providers: nothing(), attempts: 0, unseen: 0, estimated: 0, byRole: {},
  };
  const byNonce = Map.groupBy(exchanges, exchange => exchange.nonce);
  const countedBy = Map.groupBy(counted, one => one.nonce);
  for (const one of replies) {
    const [exchange, ...more] = byNonce.get(one.nonce) ?? [];
    if (more.length > 0) result.violations.push(`${one.nonce}: ${more.length + 1} exchanges in the ledger`);
    if (exchange === undefined) {
      // A caller that goes away while its request is read has no exchange yet.
      if (one.verdict.kind !== 'cancelled') result.violations.push(`${one.nonce}: not in the ledger`);
      continue;
    }
    for (const violation of [...outcomeViolations(exchange, one), ...attemptViolations(exchange, countedBy.get(one.nonce) ?? [], result)]) {
      result.violations.push(`${one.nonce} (${exchange.id}): ${violation}`);
    }
  }
  const known = new Set(replies.map(one => one.nonce));
  for (const exchange of exchanges) if (!known.has(exchange.nonce)) result.violations.push(`${exchange.id}: an exchange that no caller asked for (${exchange.nonce})`);
  for (const field of ['attempts', 'inputTokens', 'outputTokens', 'microUsd'] as const) {
    if (result.ledger[field] !== result.providers[field]) result.violations.push(`the ledger's sum of ${field} is ${result.ledger[field]}, the providers' is ${result.providers[field]}`);
  }
  return result;
}

function outcomeViolations(exchange: LedgerExchange, { verdict, status, target, exchange: shownId }: JudgedReply): string[] {
  const violations: string[] = [];
  const wants = (holds: boolean, what: string): void => void (holds || violations.push(what));
  wants(exchange.outcome !== 'open' && exchange.outcome !== 'interrupted', `the ledger says ${exchange.outcome}`);
  if (shownId !== undefined) wants(shownId === exchange.id, `the caller received the exchange ${shownId}`);
  switch (verdict.kind) {
    case 'right': {
      wants(exchange.outcome === 'ok', `answered, and the ledger says ${exchange.outcome}`);
      const resumed = exchange.attempts.some(attempt => attempt.role === 'resume');
      // A stream that was kept alive before any target answered sent its headers before the target was known.
      const unknowable = target === undefined && exchange.totalMs >= keptAliveMs;
      wants(target?.split('/')[0] === verdict.provider || resumed || unknowable, `${verdict.provider} answered, and the caller received ${target ?? 'nothing'}`);
      wants(exchange.attempts.filter(attempt => attempt.outcome === 'ok').length === 1, 'an answer without exactly one good attempt');
      break;
    }
    case 'error': case 'error-after-words':
      wants(exchange.outcome === 'failed', `failed, and the ledger says ${exchange.outcome}`);
      wants((failureClasses as readonly string[]).includes(exchange.failureClass ?? ''), `the failure class is ${exchange.failureClass ?? 'missing'}`);
      wants(!neverMeant.has(exchange.failureClass ?? '') && exchange.failureClass !== 'cancelled', `no fault here means ${exchange.failureClass ?? ''}`);
      wants(status === 503 || status === 200 || statusesOf[exchange.failureClass ?? '']?.includes(status ?? 0) === true, `the caller received ${status ?? 'nothing'}, and the class is ${exchange.failureClass ?? 'missing'}`);
      wants(exchange.attempts.every(attempt => attempt.outcome !== 'ok'), 'a good attempt and yet an error');
      break;
    case 'cancelled': case 'wrong': break;
  }
  return violations;
}

function attemptViolations({ attempts }: LedgerExchange, counted: readonly Counted[], result: LedgerVerdict): string[] {
  const violations: string[] = [];
  for (const attempt of attempts) {
    result.attempts += 1;
    if (attempt.role !== undefined) result.byRole[attempt.role] = (result.byRole[attempt.role] ?? 0) + 1;
    violations.push(...costViolations(attempt));
    if (attempt.costCertainty === 'estimated') result.estimated += 1;
  }
  for (const endpoint of new Set([...attempts.map(attempt => attempt.endpoint), ...counted.map(one => one.provider)])) {
    const asked = attempts.filter(attempt => attempt.endpoint === endpoint);
    const seen = counted.filter(one => one.provider === endpoint);
    const maybeUnseen = asked.filter(maybeNeverSeen).length;
    if (seen.length > asked.length) violations.push(`${endpoint} saw ${seen.length} requests, the ledger has ${asked.length} attempts`);
    if (seen.length < asked.length - maybeUnseen) violations.push(`${endpoint} saw ${seen.length} requests, and ${asked.length - maybeUnseen} attempts must have reached it`);
    result.unseen += Math.max(0, asked.length - seen.length);
    const good = asked.filter(attempt => attempt.outcome === 'ok');
    const whole = seen.filter(one => one.usage !== undefined && one.status === 200 && isWholeKind(one));
    if (good.length > whole.length) violations.push(`${good.length} good attempts at ${endpoint}, which gave ${whole.length} whole answers`);
    // When one provider gave several whole answers to one request, only one arrived; they are equal unless one was resumed.
    for (const attempt of good) {
      const own = whole.find(one => one.usage?.output === attempt.outputTokens) ?? whole[0];
      if (own?.usage === undefined) continue;
      add(result.ledger, attempt.inputTokens, attempt.outputTokens, attempt.microUsd);
      add(result.providers, own.usage.input, own.usage.output, costOf(own.usage.input, own.usage.output));
      if (attempt.inputTokens !== own.usage.input || attempt.outputTokens !== own.usage.output) {
        violations.push(`${endpoint} counted ${own.usage.input} and ${own.usage.output} tokens, the ledger ${attempt.inputTokens ?? 'none'} and ${attempt.outputTokens ?? 'none'}`);
      }
    }
  }
  return violations;
}

/** Behaviours under which an answer is whole. */
function isWholeKind({ behaviour }: Counted): boolean {
  return behaviour === 'answer' || behaviour === 'crawl' || behaviour === 'malformed-line';
}

/** An attempt that may have ended before the provider had read it. */
function maybeNeverSeen(attempt: LedgerAttempt): boolean {
  if (attempt.status !== undefined) return false;
  return attempt.outcome === 'cancelled' || attempt.failureClass === 'network' || attempt.failureClass === 'timeout'
    // A connection that closes without an answer may have been closed before the request was read.
    || attempt.failureClass === 'server';
}

function costViolations(attempt: LedgerAttempt): string[] {
  const violations: string[] = [];
  const { endpoint, number, outcome, inputTokens, outputTokens, microUsd, costCertainty, usageEstimated } = attempt;
  const wants = (holds: boolean, what: string): void => void (holds || violations.push(`attempt ${number} at ${endpoint} (${outcome}): ${what}`));
  wants(attempt.final, 'never ended');
  const used = inputTokens !== undefined || outputTokens !== undefined;
  if (outcome === 'ok') {
    wants(!usageEstimated && costCertainty === 'exact', `the cost of a whole answer is ${costCertainty}`);
  } else {
    wants((failureClasses as readonly string[]).includes(attempt.failureClass ?? ''), `its failure class is ${attempt.failureClass ?? 'missing'}`);
    if (used) wants(usageEstimated && costCertainty === 'estimated', `the cost of an answer that broke off is ${costCertainty}${usageEstimated ? '' : ', its usage not marked as estimated'}`);
    if (attempt.firstTokenMs !== undefined) wants((outputTokens ?? 0) > 0, 'it began to speak, and no output was counted');
  }
  if (used) wants(microUsd === costOf(inputTokens ?? 0, outputTokens ?? 0), `${inputTokens ?? 0} and ${outputTokens ?? 0} tokens cost ${microUsd ?? 'nothing known'}`);
  return violations;
}

/** Micro-dollars, rounded half up once. Prices are dollars a million tokens, with at most two places. */
export function costOf(inputTokens: number, outputTokens: number): number {
  const hundredths = inputTokens * Math.round(chaosPrices.inputPerMTok * 100) + outputTokens * Math.round(chaosPrices.outputPerMTok * 100);
  return Math.floor((hundredths + 50) / 100);
}

function nothing(): Sums {
  return { attempts: 0, inputTokens: 0, outputTokens: 0, microUsd: 0 };
}

function add(sums: Sums, inputTokens: number | undefined, outputTokens: number | undefined, microUsd: number | undefined): void {
  sums.attempts += 1;
  sums.inputTokens += inputTokens ?? 0;
  sums.outputTokens += outputTokens ?? 0;
  sums.microUsd += microUsd ?? 0;
}
