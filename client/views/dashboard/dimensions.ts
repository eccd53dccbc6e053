import { t } from '@vscode/l10n';
import type { SpendDimension } from '../../../server/api/reports/dashboard.ts';

/** The name of a dimension, as a heading. */
export function dimensionName(dimension: SpendDimension): string {
  switch (dimension) {
    case 'model': return t('Model');
    case 'provider': return t('Provider');
    case 'endpoint': return t('Endpoint');
    case 'route': return t('Route');
    case 'tool': return t('Tool');
    case 'workspace': return t('Workspace');
    case 'branch': return t('Branch');
    case 'conversation': return t('Conversation');
    case 'purpose': return t('Role');
    case 'kind': return t('Kind of work');
    case 'extension': return t('Calling extension');
    case 'token': return t('Token');
    case 'user': return t('User');
    case 'team': return t('Team');
    case 'part': return t('Paid for');
  }
}

/** The name of a list of sums by a dimension. */
export function byDimension(dimension: SpendDimension): string {
  switch (dimension) {
    case 'model': return t('By model');
    case 'provider': return t('By provider');
    case 'endpoint': return t('By endpoint');
    case 'route': return t('By route');
    case 'tool': return t('By tool');
    case 'workspace': return t('By workspace');
    case 'branch': return t('By branch');
    case 'conversation': return t('By conversation');
    case 'purpose': return t('By role');
    case 'kind': return t('By kind of work');
    case 'extension': return t('By calling extension');
    case 'token': return t('By token');
    case 'user': return t('By user');
    case 'team': return t('By team');
    case 'part': return t('By what was paid for');
  }
}
