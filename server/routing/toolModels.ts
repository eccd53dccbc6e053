import type { ToolModelSettings } from '../api/settings.ts';
import type { Config } from '../config/config.ts';
import { bareName } from './resolveName.ts';

/** Names of Claude's families as Claude Code asks for them: `opus`, `claude-opus-5-5`, `claude-3-5-sonnet-20241022`. */
const family = /^(?:claude-(?:\d{1,2}-){0,2})?(opus|sonnet|haiku)(?:[-.@[].{0,100})?$/i;

/**
 * What a tool gets for a name that it asks for, as the configuration says; the name itself where that says nothing. A route of
 * that name comes first. @param subagent the request is a subagent's
 */
export function modelForTool({ tools, routes }: Pick<Config, 'tools' | 'routes'>, tool: string, requestedModel: string, subagent: boolean): string {
  const given: ToolModelSettings | undefined = tools?.get(tool);
  if (given === undefined) return requestedModel;
  if (subagent && given.subagents !== undefined) return given.subagents;
  const name = bareName(requestedModel);
  if (routes.has(name)) return requestedModel;
  const asked = family.exec(name)?.[1]?.toLowerCase();
  return (asked === 'opus' || asked === 'sonnet' || asked === 'haiku' ? given[asked] : undefined) ?? requestedModel;
}
