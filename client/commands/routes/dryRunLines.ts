import type { CanaryStatus } from '../../../server/api/canary.ts';
import type { DryRunOutcome, TryRouteParams, TryRouteResult } from '../../../server/api/routes/tryRoute.ts';
import { formatTokens } from '../../base/figures.ts';
import { formatMicroUsd } from '../../base/money.ts';

export interface DryRunLine { label: string; description: string; detail?: string }

/** What a dry run shows: texts are ready. */
export interface DryRunLines {
  title: string;
  /** One sentence. */
  why: string;
  targets: DryRunLine[];
  leftOut: DryRunLine[];
  /** What the order does not say. */
  notes: DryRunLine[];
}

/** `40K tokens` */
export function sizeText(tokens: number): string {
  return `${formatTokens(tokens)} tokens`;
}

/** Where a request would go, in words. @param canary the route's, while some of its conversations go there */
export function dryRunLines(params: TryRouteParams, { plan, expectedMicroUsd, outcome }: TryRouteResult, canary: CanaryStatus | undefined): DryRunLines {
  const content = [...(params.tools ? ['tools'] : []), ...(params.images ? ['images'] : [])];
  const first = plan.targets[0];
  const without = outcomeOf(outcome);
  const because = plan.purpose?.first === undefined ? plan.why : `${plan.purpose.entry ?? 'its purpose'} leads to ${plan.purpose.first}${plan.why === undefined ? '' : `; ${plan.why}`}`;
  const toCanary = canary === undefined ? '' : ` ${String(canary.share)} % of conversations go to the canary first.`;
  return {
    title: `Dry Run of "${params.requestedModel}": ${sizeText(params.inputTokens)}${content.length === 0 ? '' : `, with ${content.join(' and ')}`}`,
    why: first === undefined ? without.why : `It would go to ${first.target}${because === undefined ? ', the first that can serve it' : ` (${because})`}.${toCanary}`,
    targets: plan.targets.map(({ target }, index) => {
      const expected = expectedMicroUsd[index] ?? null;
      const description = [index === 0 ? 'is asked first' : 'takes over when those before fail', expected === null ? 'cost unknown' : `about ${formatMicroUsd(expected)}`].join(' · ');
      return { label: `${String(index + 1)}. ${target}`, description, ...(index > 0 || because === undefined ? {} : { detail: because }) };
    }),
    leftOut: plan.excluded.map(({ target, reason }) => ({ label: `$(circle-slash) ${target}`, description: reason })),
    notes: [...(first === undefined && without.line !== undefined ? [without.line] : []), ...(canary === undefined ? [] : [{ label: '$(beaker) Canary', description: `${String(canary.share)} % of conversations go there first` }])],
  };
}

/** What becomes of a request that no target would be asked for: who decides that in one short sentence, and a line that says why. */
function outcomeOf(outcome: DryRunOutcome | undefined): { why: string; line?: DryRunLine } {
  switch (outcome?.kind) {
    case undefined: return { why: 'Waybill would refuse it and send nothing.' };
    case 'refused': return { why: 'Waybill would refuse it and send nothing.', line: { label: '$(error) Refused by Waybill', description: '', detail: upperFirst(outcome.why) } };
    case 'asks': return { why: 'Waybill would send nothing before you answer in the chat.', line: { label: '$(question) Asks in the chat', description: `"${outcome.button}"; other tools are refused`, detail: outcome.why } };
    case 'waits': return { why: 'It would wait: every target is kept away now.', line: { label: '$(clock) Waits', description: '', detail: `${outcome.target} is asked as soon as it is available, or all the same where the wait is long.` } };
    case 'waits-for-limit': return { why: 'Waybill would hold it back, and refuse it if that takes too long.', line: { label: '$(clock) Waits', description: '', detail: `A limit that you set keeps ${outcome.target} away now.` } };
  }
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
