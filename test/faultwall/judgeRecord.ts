import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt, Receipt } from '../../server/api/receipt.ts';
import type { SandboxProvider } from '../../server/sandbox/sandboxProvider.ts';
import type { Stage } from './stage.ts';
import type { WallRow } from './wallRow.ts';

/** Roles that say why an attempt was made where the outcome does not show it. */
const shownRoles: ReadonlySet<Attempt['role']> = new Set(['hedge', 'resume', 'last-resort']);

/** The attempts of an exchange in words, such as `a timeout, b ok`. An answer in which the model declines is a good one. */
export function attemptWords(receipt: Receipt): string {
  return receipt.attempts.map(({ endpoint, failureClass, outcome, role }) => `${endpoint} ${outcome === 'ok' ? outcome : failureClass ?? outcome}${shownRoles.has(role) ? ` (${role ?? ''})` : ''}`).join(', ');
}

/** What is wrong with the record of an exchange. */
export function receiptViolations(row: WallRow, receipt: Receipt): string[] {
  const violations: string[] = [];
  for (const attempt of receipt.attempts) violations.push(...attemptViolations(attempt));
  const first = receipt.attempts[0];
  if (row.message !== undefined && first?.message !== undefined && !row.message.test(first.message)) violations.push(`the receipt says: ${first.message}`);
  if (row.certainty !== undefined && receipt.cost.certainty !== row.certainty) violations.push(`the cost is ${receipt.cost.certainty}`);
  const expected = receipt.attempts.some(attempt => attempt.outcome === 'ok') ? 'ok' : 'failed';
  if (receipt.outcome !== expected && receipt.outcome !== 'cancelled') violations.push(`the exchange is ${receipt.outcome}`);
  return violations;
}

/** The receipt marks an attempt that restarted the answer in sight of the reader. */
export function restartViolations(outcome: string, receipt: Receipt): string[] {
  const role = receipt.attempts.at(-1)?.role;
  return outcome.startsWith('starts again') === (role === 'restart') ? [] : [`${outcome}, and the last attempt is called ${role ?? 'nothing'}`];
}

function attemptViolations(attempt: Attempt): string[] {
  const violations: string[] = [];
  const usage = attempt.usage.outputTokens ?? 0;
  if (attempt.outcome === 'failed' && (attempt.failureClass === undefined || attempt.message === undefined)) violations.push('a failed attempt without class or sentence');
  if (attempt.totalMs <= 0) violations.push('an attempt that took no time');
  if (attempt.outcome === 'ok' && usage === 0) violations.push('a good attempt without usage');
  if (attempt.outcome !== 'failed' || attempt.firstTokenMs === undefined) return violations;
  // The words before the break cost money.
  if (usage === 0) violations.push('a broken answer without usage');
  if (attempt.cost.certainty !== 'estimated') violations.push(`a broken answer whose cost is ${attempt.cost.certainty} and not marked as estimated`);
  return violations;
}

/** What is wrong with the state a cell left behind: breaker, keys, notices, and work that still runs at a provider. */
export async function stateViolations(stage: Stage): Promise<string[]> {
  const { row } = stage;
  const state = await stage.stateOfA();
  const violations: string[] = [];
  if (state.breaker !== (row.breaker ?? 'closed')) violations.push(`the breaker is ${state.breaker}`);
  const keys = state.keys.map(key => key.state).join(', ');
  if (row.keyStates !== undefined && keys !== row.keyStates.join(', ')) violations.push(`the keys are: ${keys}`);
  if (stage.elsewhere.requests.length > 0) violations.push('a redirect was followed');
  for (const provider of [stage.a, stage.b]) if (await leftRunning(provider)) violations.push(`a request still runs at ${provider.name}`);
  if (stage.editor !== undefined && row.notice !== undefined) violations.push(...await noticeViolations(stage, row.notice));
  return violations;
}

/** Whether a provider still works for a request whose caller has gone; it may take a moment to notice. */
async function leftRunning(provider: SandboxProvider): Promise<boolean> {
  const runs = (): boolean => provider.requests.some(request => request.finishedAt === undefined && request.closedEarlyAt === undefined);
  for (let tries = 0; runs() && tries < 100; tries += 1) await sleep(20);
  return runs();
}

/** Notices travel beside the answer; a moment may pass between the two. */
async function noticeViolations({ editor }: Stage, kind: string): Promise<string[]> {
  const notices = editor?.notices ?? [];
  for (let tries = 0; notices.length === 0 && tries < 100; tries += 1) await sleep(20);
  const kinds = notices.map(notice => notice.kind).join(', ');
  return kinds === kind ? [] : [`the editor received: ${kinds || 'nothing'}`];
}
