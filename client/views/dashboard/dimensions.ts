import { t } from '@vscode/l10n';
import { said, shownOf, type Said } from '../../../server/api/localization/said.ts';
import type { SpendDimension } from '../../../server/api/reports/dashboard.ts';

/** The name of a dimension, as a heading. */
export function dimensionName(dimension: SpendDimension): string {
  return shownOf(saidDimension(dimension));
}

/** The name of a dimension, for texts in any language. */
export function saidDimension(dimension: SpendDimension): Said {
  switch (dimension) {
    case 'model': return said('Model');
    case 'provider': return said('Provider');
    case 'endpoint': return said('Endpoint');
    case 'route': return said('Route');
    case 'tool': return said('Tool');
    case 'workspace': return said('Workspace');
    case 'branch': return said('Branch');
    case 'conversation': return said('Conversation');
    case 'purpose': return said('Role');
    case 'kind': return said('Kind of work');
    case 'extension': return said('Calling extension');
    case 'token': return said('Token');
    case 'user': return said('User');
    case 'team': return said('Team');
    case 'part': return said('Paid for');
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
