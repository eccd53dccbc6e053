import { requestRoles, workKinds, type RequestRole, type WorkKind } from '../../../server/api/purpose.ts';
import { partOfRoute, type Policy, type TargetField } from './policy.ts';

export const roleTitles: Readonly<Record<RequestRole, string>> = {
  main: 'Main requests', subagent: 'Subagents', workflow: 'Workflow steps', compaction: 'Compaction', auxiliary: 'Small errands', inline: 'Inline completions',
};
export const kindTitles: Readonly<Record<WorkKind, string>> = { 'low-cost': 'Low-cost work', 'balanced': 'Balanced work', 'high-quality': 'High-quality work' };

const unset = 'as every request';

function field(title: string, meaning: string, access: Pick<TargetField, 'get' | 'set'>): TargetField {
  return { kind: 'target', title, placeholder: `Choose where this goes first (${meaning})`, unset, ...access };
}

/** Where requests go first by who sends them, and by the work they are for. */
export const rolePolicy: Policy = {
  title: 'By who asks', unset: 'every role goes the same way',
  fields: (Object.keys(requestRoles) as RequestRole[]).map(role => field(roleTitles[role], requestRoles[role], partOfRoute('byRole', role))),
};

export const kindPolicy: Policy = {
  title: 'By kind of work', unset: 'every kind goes the same way',
  fields: (Object.keys(workKinds) as WorkKind[]).map(kind => field(kindTitles[kind], workKinds[kind], partOfRoute('byKind', kind))),
};
