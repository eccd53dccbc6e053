import { t } from '@vscode/l10n';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { portTrouble } from '../../status/localEndpoint.ts';
import type { TreeNode } from './treeNode.ts';

/** The line about the local endpoint's port, while it cannot be used. Without providers the view has its welcome text instead. */
export function portRows(status: StatusSnapshot | undefined): TreeNode[] {
  const trouble = portTrouble(status?.http);
  if (status === undefined || trouble === undefined || status.endpoints.length === 0) return [];
  const description = status.http.state === 'held-by-another-program' ? t('port is taken') : t('not open');
  return [{
    id: ':localEndpoint', label: t('Local endpoint'), description, tooltip: trouble, icon: 'debug-disconnect', color: 'problemsWarningIcon.foreground',
    context: 'localEndpoint', spoken: t('Local endpoint, {0}', trouble), children: [], expanded: false, endpoint: '',
  }];
}
