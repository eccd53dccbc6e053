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
  const because = plan.purpose?.first === undefined ? plan.why : `${plan.purpose.entry ?? 'its purpose'} leads to ${plan.purpose.first}${plan.why === undefined ? '' : `; ${plan.why}`}`;
  const toCanary = canary === undefined ? '' : ` ${String(canary.share)} % of conversations go to the canary first.`;
  return {
    title: `Dry Run of "${params.requestedModel}": ${sizeText(params.inputTokens)}${content.length === 0 ? '' : `, with ${content.join(' and ')}`}`,
    why: first === undefined ? outcomeText(outcome) : `It would go to ${first.target}${because === undefined ? ', the first that can serve it' : ` (${because})`}.${toCanary}`,
    targets: plan.targets.map(({ target }, index) => {
      const expected = expectedMicroUsd[index] ?? null;
      const description = [index === 0 ? 'is asked first' : 'takes over when those before fail', expected === null ? 'cost unknown' : `about ${formatMicroUsd(expected)}`].join(' · ');
      return { label: `${String(index + 1)}. ${target}`, description, ...(index > 0 || because === undefined ? {} : { detail: because }) };
    }),
    leftOut: plan.excluded.map(({ target, reason }) => ({ label: `$(circle-slash) ${target}`, description: reason })),
    notes: canary === undefined ? [] : [{ label: '$(beaker) Canary', description: `${String(canary.share)} % of conversations go there first` }],
  };
}

/** What becomes of a request that no target would be asked for, and who decides that. */
function outcomeText(outcome: DryRunOutcome | undefined): string {
  switch (outcome?.kind) {
    case undefined: return 'Waybill would refuse it and send nothing: every target is left out for the reason below.';
    case 'refused': return `Waybill would refuse it and send nothing: ${lowerFirst(outcome.why)}`;
    case 'asks': return `Waybill would send nothing before you answer in the chat: ${outcome.why} The chat offers "${outcome.button}"; other tools are refused.`;
    case 'waits': return `It would wait: every target is kept away now. ${outcome.target} is asked as soon as it is available, or all the same where the wait is long.`;
    case 'waits-for-limit': return `Waybill would hold it back, and refuse it if that takes too long: a limit that you set keeps ${outcome.target} away now.`;
  }
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
