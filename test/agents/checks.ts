import type { TokenUsage } from '../../server/api/conversation.ts';
import { farewell } from './agents.ts';
import { targetName, type TaskResult } from './taskRun.ts';

/** Problems of a task other than the file: in the receipts, at the providers, in the agent's output. */
export function problemsOf(result: TaskResult): string[] {
  const { run, receipts, upstreams, output } = result;
  const problems = [...result.problems];
  for (const [index, upstream] of upstreams.entries()) {
    problems.push(...new Set(upstream.faults.map(fault => `${targetName(run, index)} refused: ${fault}`)));
  }
  if (!output.includes(farewell)) problems.push('the agent did not print the model\'s last words');
  if (receipts.length === 0) problems.push('there is no receipt');
  for (const { outcome, message, caller, protocol } of receipts) {
    if (outcome !== 'ok') problems.push(`an exchange is ${outcome}: ${message ?? ''}`);
    if (caller.tool !== run.agent.id) problems.push(`a receipt is of ${caller.tool}`);
    if (protocol !== run.agent.protocol) problems.push(`a receipt says that the caller spoke ${protocol}`);
  }
  const conversations = new Set(receipts.map(({ caller }) => caller.conversation));
  if (conversations.size !== 1 || conversations.has(undefined) === run.agent.namesConversation) problems.push(`the receipts name these conversations: ${[...conversations].join(', ')}`);
  problems.push(...attemptProblems(result), ...usageProblems(result));
  return problems;
}

/** Each exchange has one attempt. Where the first provider breaks down, another takes over after it, and both have worked on the task. */
function attemptProblems({ run, receipts, upstreams }: TaskResult): string[] {
  if (run.targets.length === 1) {
    return receipts.every(({ attempts }) => attempts.length === 1 && attempts[0]?.target === targetName(run, 0)) ? [] : ['not every exchange has one attempt'];
  }
  const taken = receipts.find(({ attempts }) => attempts.length > 1);
  const problems: string[] = [];
  if (taken === undefined) problems.push('no exchange was taken over');
  else if (taken.attempts[0]?.outcome !== 'failed' || taken.target !== targetName(run, 1)) problems.push('the second target did not take over');
  if (upstreams.some(upstream => upstream.charged.length === 0)) problems.push('the task was not shared between the targets');
  return problems;
}

/** Receipts add up to what the providers charged, to the token. */
function usageProblems({ receipts, upstreams }: TaskResult): string[] {
  const charged = upstreams.flatMap(upstream => upstream.charged);
  const sum = (numbers: readonly (number | undefined)[]): number => numbers.reduce<number>((total, value) => total + (value ?? 0), 0);
  const wanted: Required<Pick<TokenUsage, 'inputTokens' | 'cacheReadTokens' | 'outputTokens' | 'reasoningTokens'>> = {
    inputTokens: sum(charged.map(({ prompt, cached }) => prompt - cached)),
    cacheReadTokens: sum(charged.map(({ cached }) => cached)),
    outputTokens: sum(charged.map(({ output }) => output)),
    reasoningTokens: sum(charged.map(({ reasoning }) => reasoning)),
  };
  const problems = (Object.keys(wanted) as (keyof typeof wanted)[]).flatMap(bucket => {
    const recorded = sum(receipts.map(({ usage }) => usage[bucket]));
    return recorded === wanted[bucket] ? [] : [`receipts say ${recorded} ${bucket}, the providers ${wanted[bucket]}`];
  });
  const inexact = receipts.flatMap(({ attempts }) => attempts).filter(({ outcome, cost }) => outcome === 'ok' && (cost.certainty !== 'exact' || cost.priceSource !== 'config'));
  if (inexact.length > 0) problems.push(`${inexact.length} attempts have a cost that is ${inexact[0]?.cost.certainty ?? ''}, by ${inexact[0]?.cost.priceSource ?? 'no price'}`);
  return problems;
}
