import { t } from '@vscode/l10n';
import { requestRoles, workKinds, type RequestRole, type WorkKind } from '../../../server/api/purpose.ts';
import { partOfRoute, type Policy, type TargetField } from './policy.ts';

export const roleTitles: Readonly<Record<RequestRole, string>> = {
  main: t('Main requests'), subagent: t('Subagents'), workflow: t('Workflow steps'), compaction: t('Compaction'), auxiliary: t('Small errands'), inline: t('Inline completions'),
};
export const kindTitles: Readonly<Record<WorkKind, string>> = { 'low-cost': t('Low-cost work'), 'balanced': t('Balanced work'), 'high-quality': t('High-quality work') };

const unset = t('as every request');

function field(title: string, meaning: string, access: Pick<TargetField, 'get' | 'set'>): TargetField {
  return { kind: 'target', title, placeholder: t('Choose where this goes first ({0})', meaning), unset, ...access };
}

/** Where requests go first by who sends them, and by the work they are for. */
export const rolePolicy: Policy = {
  title: t('By who asks'), unset: t('every role goes the same way'),
  fields: (Object.keys(requestRoles) as RequestRole[]).map(role => field(roleTitles[role], requestRoles[role], partOfRoute('byRole', role))),
};

export const kindPolicy: Policy = {
  title: t('By kind of work'), unset: t('every kind goes the same way'),
  fields: (Object.keys(workKinds) as WorkKind[]).map(kind => field(kindTitles[kind], workKinds[kind], partOfRoute('byKind', kind))),
};
