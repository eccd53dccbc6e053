import type { IncomingHttpHeaders } from 'node:http';
import type { TokenAccess } from '../../../api/access/tokenAccess.ts';
import type { Caller } from '../../../api/receipt.ts';
import { asString, isObject, type JsonObject } from '../../../base/json.ts';
import { keptCaller, keptLabel } from '../../../base/names.ts';
import { mainCodexAgent } from '../../../routing/purpose/statedPurpose.ts';

/** Tools by the beginning of their user agent; the name is what the ledger and the Spend view show. */
const knownAgents: readonly (readonly [RegExp, string])[] = [
  [/^claude-cli\//i, 'claude-code'],
  [/^codex[_-]/i, 'codex'],
  [/^GeminiCLI/i, 'gemini-cli'],
  [/^opencode\//i, 'opencode'],
  [/^Cline/i, 'cline'],
  [/^Roo-?Code/i, 'roo-code'],
  [/^Continue/i, 'continue'],
  [/^(?:aider|litellm)/i, 'aider'],
  [/^Zed\//i, 'zed'],
  [/^(?:Async)?OpenAI\//i, 'openai-sdk'],
  [/^(?:Async)?Anthropic\//i, 'anthropic-sdk'],
  [/^google-genai-sdk\//i, 'google-sdk'],
  [/^ai(?:-sdk)?\//i, 'ai-sdk'],
  [/^curl\//i, 'curl'],
];

/** Where callers put the id of a conversation: our own, then those of Claude Code, Codex (in two spellings) and OpenCode (in two). */
const conversationHeaders = ['x-waybill-conversation', 'x-claude-code-session-id', 'session-id', 'session_id', 'x-session-id', 'x-opencode-session'] as const;
/** Codex says which agent asks in an object as JSON. */
const codexMetadata = 'x-codex-turn-metadata';
const longestMetadata = 8192;

/** Who sends a request, as far as its headers say, in labels of bounded length. @param tokenTool the tool whose own token came with it; no header says otherwise @param access what the token may do, and for whom it was made */
export function callerOf(headers: IncomingHttpHeaders, tokenTool?: string, access?: Pick<TokenAccess, 'id' | 'user' | 'team'>): Caller {
  return keptCaller({
    tool: tokenTool ?? header(headers, 'x-waybill-tool') ?? toolOfAgent(headers['user-agent'] ?? ''),
    workspace: header(headers, 'x-waybill-workspace'),
    branch: header(headers, 'x-waybill-branch'),
    conversation: conversationOf(headers),
    purpose: header(headers, 'x-waybill-purpose'),
    token: access?.id ?? tokenTool, user: access?.user, team: access?.team,
  });
}

/** Which agent of a tool asks, as far as its headers say; undefined for the one that a person speaks with. */
export function agentOf(headers: IncomingHttpHeaders): string | undefined {
  const id = header(headers, 'x-claude-code-agent-id');
  if (id !== undefined) return keptLabel(id);
  const metadata = header(headers, codexMetadata);
  const agent = metadata === undefined ? undefined : keptLabel(asString(turnMetadata(metadata)?.['agent_name']));
  return agent === mainCodexAgent ? undefined : agent;
}

function turnMetadata(text: string): JsonObject | undefined {
  if (text.length > longestMetadata) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** User agents are few and long-lived. */
const toolsByAgent = new Map<string, string>();
const rememberedAgents = 100;
const longestRememberedAgent = 300;

/** The tool that a user agent names; `http` where it names none. */
function toolOfAgent(agent: string): string {
  const known = toolsByAgent.get(agent);
  if (known !== undefined) return known;
  const tool = knownAgents.find(([pattern]) => pattern.test(agent))?.[1] ?? (agent.split(/[\s/]/, 1)[0] || 'http');
  if (toolsByAgent.size >= rememberedAgents) toolsByAgent.clear();
  if (agent.length <= longestRememberedAgent) toolsByAgent.set(agent, tool);
  return tool;
}

function conversationOf(headers: IncomingHttpHeaders): string | undefined {
  for (const name of conversationHeaders) {
    const id = header(headers, name);
    if (id !== undefined) return id;
  }
  const metadata = header(headers, codexMetadata);
  if (metadata === undefined) return undefined;
  const turn = turnMetadata(metadata);
  return asString(turn?.['session_id']) ?? asString(turn?.['thread_id']);
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
