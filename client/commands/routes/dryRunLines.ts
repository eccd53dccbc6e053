import { t } from '@vscode/l10n';
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
  return t('{0} tokens', formatTokens(tokens));
}

/** Where a request would go, in words. @param canary the route's, while some of its conversations go there */
export function dryRunLines(params: TryRouteParams, { plan, expectedMicroUsd, outcome }: TryRouteResult, canary: CanaryStatus | undefined): DryRunLines {
  const first = plan.targets[0];
  const without = outcomeOf(outcome);
  const because = reasonOf(plan);
  return {
    title: t('Dry Run of "{0}": {1}', params.requestedModel, contentText(params)),
    why: first === undefined ? without.why : [
      because === undefined ? t('It would go to {0}, the first that can serve it.', first.target) : t('It would go to {0} ({1}).', first.target, because),
      ...(canary === undefined ? [] : [t('{0} % of conversations go to the canary first.', canary.share)]),
    ].join(' '),
    targets: plan.targets.map(({ target }, index) => {
      const expected = expectedMicroUsd[index] ?? null;
      const description = [index === 0 ? t('is asked first') : t('takes over when those before fail'), expected === null ? t('cost unknown') : t('about {0}', formatMicroUsd(expected))].join(' · ');
      return { label: `${String(index + 1)}. ${target}`, description, ...(index > 0 || because === undefined ? {} : { detail: because }) };
    }),
    leftOut: plan.excluded.map(({ target, reason }) => ({ label: `$(circle-slash) ${target}`, description: reason })),
    notes: [...(first === undefined && without.line !== undefined ? [without.line] : []), ...(canary === undefined ? [] : [{ label: t('$(beaker) Canary'), description: t('{0} % of conversations go there first', canary.share) }])],
  };
}

/** `40K tokens, with tools and images` */
function contentText({ inputTokens, tools, images }: TryRouteParams): string {
  const size = sizeText(inputTokens);
  if (tools) return images ? t('{0}, with tools and images', size) : t('{0}, with tools', size);
  return images ? t('{0}, with images', size) : size;
}

/** Why the first target is the first. */
function reasonOf({ purpose, why }: TryRouteResult['plan']): string | undefined {
  if (purpose?.first === undefined) return why;
  const leads = purpose.entry === undefined ? t('its purpose leads to {0}', purpose.first) : t('{0} leads to {1}', purpose.entry, purpose.first);
  return why === undefined ? leads : `${leads}; ${why}`;
}

/** What becomes of a request that no target would be asked for: who decides that in one short sentence, and a line that says why. */
function outcomeOf(outcome: DryRunOutcome | undefined): { why: string; line?: DryRunLine } {
  switch (outcome?.kind) {
    case undefined: return { why: t('Waybill would refuse it and send nothing.') };
    case 'refused': return { why: t('Waybill would refuse it and send nothing.'), line: { label: t('$(error) Refused by Waybill'), description: '', detail: upperFirst(outcome.why) } };
    case 'asks': return { why: t('Waybill would send nothing before you answer in the chat.'), line: { label: t('$(question) Asks in the chat'), description: t('"{0}"; other tools are refused', outcome.button), detail: outcome.why } };
    case 'waits': return { why: t('It would wait: every target is kept away now.'), line: { label: t('$(clock) Waits'), description: '', detail: t('{0} is asked as soon as it is available, or all the same where the wait is long.', outcome.target) } };
    case 'waits-for-limit': return { why: t('Waybill would hold it back, and refuse it if that takes too long.'), line: { label: t('$(clock) Waits'), description: '', detail: t('A limit that you set keeps {0} away now.', outcome.target) } };
  }
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
