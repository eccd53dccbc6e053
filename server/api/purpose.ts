import { t } from '@vscode/l10n';

/** Who sends a request within a tool: each role by name, with what it is. */
export const requestRoles = {
  main: t('what a person asked for, with the tool calls that follow'),
  subagent: t('an agent that another agent started'),
  workflow: t('a step of a scripted workflow'),
  compaction: t('the summary of a conversation that has grown too long'),
  auxiliary: t('small errands of a tool, such as titles and commit messages'),
  inline: t('completions at the cursor'),
} as const;
export type RequestRole = keyof typeof requestRoles;

/** What kind of work a request is, the cheapest first: each kind by name, with what it is. */
export const workKinds = {
  'low-cost': t('summaries, classification, extraction, translation, corrections, titles and look-ups'),
  'balanced': t('code, analysis and writing'),
  'high-quality': t('law, medicine, proofs and other complex reasoning'),
} as const;
export type WorkKind = keyof typeof workKinds;

/** What a request was taken for, where its route goes by that. */
export interface Purpose {
  role: RequestRole;
  kind: WorkKind;
  /** Why, as a sentence without its end; no part of the prompt. */
  why: string;
  /** Its loop of tool calls was stuck, so that its kind is one higher. */
  stalled?: true | undefined;
}

export function isRequestRole(name: string): name is RequestRole {
  return Object.hasOwn(requestRoles, name);
}

export function isWorkKind(name: string): name is WorkKind {
  return Object.hasOwn(workKinds, name);
}
