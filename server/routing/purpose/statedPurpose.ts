import { isRequestRole, isWorkKind, type RequestRole, type WorkKind } from '../../api/purpose.ts';
import type { Caller } from '../../api/receipt.ts';
import { isObject, type JsonObject } from '../../base/json.ts';

/** What a caller says about its request. */
export interface StatedPurpose {
  role?: RequestRole | undefined;
  kind?: WorkKind | undefined;
  /** Who says the role, and what about it, as a sentence without its end. */
  roleWhy?: string | undefined;
  kindWhy?: string | undefined;
}

/** Headers of a request, by name in lower case. */
export type CallerHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface StatedFacts {
  /** Absent: the request came from the editor. */
  headers?: CallerHeaders | undefined;
  caller: Caller;
  requestedModel: string;
  /** A text completion at the cursor. */
  completion: boolean;
}

/** Claude Code's own kinds of agents, and what their work is. The others do any work. */
const agentKinds: Readonly<Record<string, WorkKind>> = { 'explore': 'low-cost', 'statusline-setup': 'low-cost', 'plan': 'high-quality' };

/** What Codex says in `x-openai-subagent`, or as the kind or source of a turn. */
const codexRoles: Readonly<Record<string, RequestRole>> = { compact: 'compaction', compaction: 'compaction', memory_consolidation: 'auxiliary', thread_title: 'auxiliary' };
/** The path of the agent of Codex that a person speaks with; seen with 0.171.0. */
export const mainCodexAgent = '/root';

/** What the editor knows of its requests, and what callers may write into `x-waybill-purpose`. */
const purposeRoles: Readonly<Record<string, RequestRole>> = {
  'chat': 'main', 'agent': 'main', 'edit': 'main', 'utility': 'auxiliary', 'title': 'auxiliary', 'commit-message': 'auxiliary', 'summary': 'auxiliary',
};

const longestMetadata = 8192;

/**
 * What a request says about itself, for role and kind the first of: headers of its client, the editor, `x-waybill-role` and
 * `x-waybill-kind`, the end of the model's name. A kind that only follows from the kind of agent gives way to one that is written out.
 */
export function statedPurpose(facts: StatedFacts): StatedPurpose {
  const { headers = {}, caller, requestedModel, completion } = facts;
  const stated: StatedPurpose = {};
  readClaudeCode(headers, stated);
  readCodex(headers, stated);
  if (stated.role === undefined && one(headers, 'x-parent-session-id') !== undefined) put(stated, 'subagent', 'x-parent-session-id says that a subagent asks');
  if (stated.role === undefined && completion) put(stated, 'inline', 'it completes text at the cursor');
  const { purpose } = caller;
  if (stated.role === undefined && purpose !== undefined) {
    const role = isRequestRole(purpose) ? purpose : Object.hasOwn(purposeRoles, purpose) ? purposeRoles[purpose] : undefined;
    if (role !== undefined) put(stated, role, facts.headers === undefined ? `the editor calls it ${articled(purpose)}` : `x-waybill-purpose says ${purpose}`);
  }
  const inferred = stated.kind === undefined ? undefined : { kind: stated.kind, kindWhy: stated.kindWhy };
  stated.kind = undefined;
  readOwn(headers, stated);
  readSuffix(requestedModel, stated);
  if (stated.kind === undefined && inferred !== undefined) Object.assign(stated, inferred);
  return stated;
}

function articled(purpose: string): string {
  if (purpose === 'inline') return 'an inline completion';
  return `${/^[aeiou]/.test(purpose) ? 'an' : 'a'} ${purpose} request`;
}

function put(stated: StatedPurpose, role: RequestRole, why: string): void {
  stated.role = role;
  stated.roleWhy = why;
}

function readClaudeCode(headers: CallerHeaders, stated: StatedPurpose): void {
  const requestClass = one(headers, 'x-claude-code-request-class');
  if (requestClass !== undefined && isRequestRole(requestClass)) put(stated, requestClass, `Claude Code calls it ${requestClass}`);
  else if (one(headers, 'x-claude-code-compaction') !== undefined) put(stated, 'compaction', 'Claude Code calls it a compaction');
  else if (one(headers, 'x-claude-code-agent-id') !== undefined) put(stated, 'subagent', 'x-claude-code-agent-id says that a subagent asks');
  const agent = one(headers, 'x-claude-code-agent-type');
  if (agent === undefined) return;
  stated.kind = agentKinds[agent.toLowerCase()];
  if (stated.kind !== undefined) stated.kindWhy = `its agent is ${agent.toLowerCase() === 'plan' ? 'one that plans' : 'one that looks around'}`;
}

function readCodex(headers: CallerHeaders, stated: StatedPurpose): void {
  if (stated.role !== undefined) return;
  const label = one(headers, 'x-openai-subagent');
  if (label !== undefined) return put(stated, codexRoles[label] ?? 'subagent', `Codex calls it ${codexRoles[label] ?? 'a subagent'}`);
  const turn = codexTurn(one(headers, 'x-codex-turn-metadata'));
  const errand = [turn?.request_kind, turn?.thread_source].map(name => (typeof name === 'string' && Object.hasOwn(codexRoles, name) ? codexRoles[name] : undefined)).find(role => role !== undefined);
  if (errand !== undefined) put(stated, errand, `Codex calls it ${errand}`);
  else if (one(headers, 'x-codex-parent-thread-id') !== undefined || (turn !== undefined && saysSubagent(turn))) put(stated, 'subagent', 'Codex says that a subagent asks');
}

/** What Codex says of a turn, as far as it names what asks for it. */
function codexTurn(metadata: string | undefined): JsonObject | undefined {
  if (metadata === undefined || metadata.length > longestMetadata || !/agent|parent|compact|memory|title/.test(metadata)) return undefined;
  try {
    const turn: unknown = JSON.parse(metadata);
    return isObject(turn) ? turn : undefined;
  } catch {
    return undefined;
  }
}

/** Codex names a parent or a kind of subagent only in the turns of subagents, and agents by their path. */
function saysSubagent({ agent_name: agent, subagent_kind: kind, parent_thread_id: parent }: JsonObject): boolean {
  const named = (value: unknown): boolean => typeof value === 'string' && value !== '';
  return (named(agent) && agent !== mainCodexAgent) || named(kind) || named(parent);
}

function readOwn(headers: CallerHeaders, stated: StatedPurpose): void {
  const role = one(headers, 'x-waybill-role');
  if (role !== undefined && stated.role === undefined) {
    if (isRequestRole(role)) put(stated, role, `x-waybill-role says ${role}`);
    else stated.roleWhy = 'x-waybill-role names no role';
  }
  const kind = one(headers, 'x-waybill-kind');
  if (kind === undefined) return;
  if (isWorkKind(kind)) Object.assign(stated, { kind, kindWhy: `x-waybill-kind says ${kind}` });
  else stated.kindWhy = 'x-waybill-kind names no kind';
}

function readSuffix(requestedModel: string, stated: StatedPurpose): void {
  const suffix = purposeSuffix(requestedModel);
  if (suffix === undefined) return;
  if (isRequestRole(suffix) && stated.role === undefined) put(stated, suffix, `the name it asks for says ${suffix}`);
  if (isWorkKind(suffix) && stated.kind === undefined) Object.assign(stated, { kind: suffix, kindWhy: `the name it asks for says ${suffix}` });
}

/** The role or kind behind the last colon of a name (`coding:low-cost`); undefined where it is neither. */
export function purposeSuffix(name: string): RequestRole | WorkKind | undefined {
  const suffix = name.slice(name.lastIndexOf(':') + 1).trim();
  return suffix.length < name.length && (isRequestRole(suffix) || isWorkKind(suffix)) ? suffix : undefined;
}

function one(headers: CallerHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value.trim() : undefined;
}
