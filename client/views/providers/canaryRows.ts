import { headline, type CanaryStatus } from '../../../server/api/canary.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import type { TreeNode } from './treeNode.ts';

/** One line for each canary that was started: its route, stage, share and verdict. */
export function canaryRows(status: StatusSnapshot | undefined): TreeNode[] {
  return (status?.canaries ?? []).filter(({ phase }) => phase !== 'none').map(canaryRow);
}

function canaryRow(canary: CanaryStatus): TreeNode {
  const { route, phase, stage, stages, share, verdict, message } = canary;
  const stageText = `stage ${String(stage)} of ${String(stages.length)}, ${String(share)} %`;
  const verdicts = { 'pass': 'gates pass', 'fail': 'a gate failed', 'inconclusive': 'inconclusive', 'no-data': 'not enough data', 'none': '' } as const;
  const description = {
    'running': `${stageText} · ${verdicts[verdict]}`, 'paused': `paused at ${stageText}`, 'rolled-back': 'rolled back', 'promoted': 'promoted', 'none': '',
  }[phase];
  const looks = {
    'running': { icon: 'git-branch', color: verdict === 'inconclusive' ? 'problemsWarningIcon.foreground' : undefined }, 'paused': { icon: 'debug-pause', color: 'problemsWarningIcon.foreground' },
    'rolled-back': { icon: 'discard', color: verdict === 'fail' ? 'problemsErrorIcon.foreground' : undefined }, 'promoted': { icon: 'pass', color: 'testing.iconPassed' }, 'none': { icon: 'git-branch', color: undefined },
  } as const;
  return {
    id: `:canary:${route}`, label: `Canary of ${route}`, description, tooltip: `${headline(canary)}\n${message}`, ...looks[phase],
    context: `canary.${phase}`, spoken: `Canary of route ${route}, ${description}. ${message}`, children: [], expanded: false, endpoint: '', route,
  };
}
