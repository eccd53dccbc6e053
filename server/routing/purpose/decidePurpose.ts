import { workKinds, type Purpose, type RequestRole, type WorkKind } from '../../api/purpose.ts';
import { errandOf } from './errands.ts';
import type { StatedPurpose } from './statedPurpose.ts';
import { stallOf, type RecentSteps } from './steps.ts';
import { readWorkKind } from './workKind.ts';

/** What a conversation was taken for, while it lasts. */
export interface Decision {
  readonly kind: WorkKind;
  /** Why, as a sentence without its end. */
  readonly why: string;
  /** The stall that raised the kind, as a sentence without its end; it stays raised until something new is asked. */
  readonly stall?: string | undefined;
}

export interface DecisionFacts {
  readonly stated: StatedPurpose;
  /** Read only where it is needed. */
  steps(): RecentSteps;
  /** The caller offers tools. */
  readonly tools: boolean;
  /** What the conversation was taken for before; read only where it is needed. */
  before(): Decision | undefined;
}

/** Roles whose work is always of one kind. */
const kindsOfRoles: Partial<Record<RequestRole, WorkKind>> = { compaction: 'low-cost', auxiliary: 'low-cost', inline: 'low-cost' };
/** Fewer words, such as "go on" or "yes, fix it", belong to what was asked before. */
const fewestWords = 5;
const kinds = Object.keys(workKinds) as WorkKind[];

/** Decides what a request is for. @returns the purpose, and what to keep for the conversation; nothing where it says itself what it is */
export function decidePurpose({ stated, steps, tools, before }: DecisionFacts): { purpose: Purpose; decision?: Decision | undefined } {
  if (stated.role !== undefined && stated.kind !== undefined) {
    return { purpose: { role: stated.role, kind: stated.kind, why: sentence(stated.roleWhy, stated.kindWhy) } };
  }
  const recent = steps();
  const errand = stated.role === undefined ? errandOf(recent, tools) : undefined;
  const role = stated.role ?? errand?.role ?? 'main';
  const roleWhy = stated.roleWhy ?? errand?.why;
  if (stated.kind !== undefined) return { purpose: { role, kind: stated.kind, why: sentence(roleWhy, stated.kindWhy) } };
  const ofRole = kindsOfRoles[role];
  if (ofRole !== undefined) return { purpose: { role, kind: ofRole, why: sentence(roleWhy, stated.kindWhy) } };
  const decision = decide(recent, before());
  return { purpose: { role, kind: decision.kind, why: sentence(roleWhy, stated.kindWhy, decision.why, decision.stall), ...(decision.stall === undefined ? {} : { stalled: true as const }) }, decision };
}

function decide({ steps }: RecentSteps, before: Decision | undefined): Decision {
  const last = steps.at(-1);
  if (last === undefined || last.type === 'asked') return afterAsking(last?.text ?? '', before);
  // In a loop of tools the decision stays, and only a stall changes it.
  if (before?.stall !== undefined) return before;
  const asked = steps.find(step => step.type === 'asked');
  const kept = before ?? afterAsking(asked?.text ?? '', undefined);
  const stall = stallOf(steps);
  if (stall === undefined) return kept;
  return { kind: kinds[Math.min(kinds.indexOf(kept.kind) + 1, kinds.length - 1)] ?? kept.kind, why: kept.why, stall };
}

function afterAsking(text: string, before: Decision | undefined): Decision {
  if (before !== undefined && isFollowUp(text)) return before;
  const reading = readWorkKind(text);
  if (reading !== undefined) return { kind: reading.kind, why: reading.about };
  return before ?? { kind: 'balanced', why: 'nothing in it speaks for another kind' };
}

function isFollowUp(text: string): boolean {
  return text.length < 40 && text.trim().split(/\s+/, fewestWords).length < fewestWords;
}

function sentence(...parts: readonly (string | undefined)[]): string {
  const given = parts.filter(part => part !== undefined);
  return given.length === 0 ? 'nothing says otherwise' : given.join(', and ');
}
