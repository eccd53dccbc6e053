import { t } from '@vscode/l10n';
import { headline, type CanaryStatus } from '../../../server/api/canary.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import type { TreeNode } from './treeNode.ts';

/** One line for each canary that was started: its route, stage, share and verdict. */
export function canaryRows(status: StatusSnapshot | undefined): TreeNode[] {
  return (status?.canaries ?? []).filter(({ phase }) => phase !== 'none').map(canaryRow);
}

/** What the line of a canary says, the verdict first, because a narrow sidebar cuts the end off; and what rests behind it. */
export function canaryLine({ phase, stage, stages, share, verdict, route, message }: CanaryStatus): { description: string; tooltip: string } {
  const stageText = t('stage {0} of {1}, {2} %', stage, stages.length, share);
  const verdicts = { 'pass': t('gates pass'), 'fail': t('a gate failed'), 'inconclusive': t('inconclusive'), 'no-data': t('not enough data'), 'none': '' };
  const description = {
    'running': verdicts[verdict] === '' ? stageText : `${verdicts[verdict]} · ${stageText}`, 'paused': t('paused at {0}', stageText), 'rolled-back': t('rolled back'), 'promoted': t('promoted'), 'none': '',
  }[phase];
  return { description, tooltip: `${headline({ route, phase, stage, stages, share })}\n${message}` };
}

/** The icon of a canary and its theme colour. */
export function canaryLook({ phase, verdict }: CanaryStatus): { icon: string; color: string | undefined } {
  const looks = {
    'running': { icon: 'beaker', color: verdict === 'inconclusive' ? 'problemsWarningIcon.foreground' : undefined }, 'paused': { icon: 'debug-pause', color: 'problemsWarningIcon.foreground' },
    'rolled-back': { icon: 'discard', color: verdict === 'fail' ? 'problemsErrorIcon.foreground' : undefined }, 'promoted': { icon: 'pass', color: 'testing.iconPassed' }, 'none': { icon: 'beaker', color: undefined },
  } as const;
  return looks[phase];
}

function canaryRow(canary: CanaryStatus): TreeNode {
  const { route, phase, message } = canary;
  const line = canaryLine(canary);
  return {
    id: `:canary:${route}`, label: t('Canary of {0}', route), ...line, ...canaryLook(canary),
    context: `canary.${phase}`, spoken: t('Canary of route {0}, {1}. {2}', route, line.description, message), children: [], expanded: false, endpoint: '', route,
  };
}
