import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../../../api/receipt.ts';
import { keptCaller } from '../../../base/names.ts';

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

/** Where callers put the id of a conversation: our own, then those of Claude Code, Codex (in two spellings) and OpenCode. */
const conversationHeaders = ['x-waybill-conversation', 'x-claude-code-session-id', 'session-id', 'session_id', 'x-session-id'] as const;

/** Who sends a request, as far as its headers say, in labels of bounded length. @param tokenTool the tool whose own token came with it; no header says otherwise */
export function callerOf(headers: IncomingHttpHeaders, tokenTool?: string): Caller {
  const agent = headers['user-agent'] ?? '';
  const named = tokenTool ?? header(headers, 'x-waybill-tool');
  return keptCaller({
    tool: named ?? knownAgents.find(([pattern]) => pattern.test(agent))?.[1] ?? (agent.split(/[\s/]/, 1)[0] || 'http'),
    workspace: header(headers, 'x-waybill-workspace'),
    conversation: conversationHeaders.map(name => header(headers, name)).find(id => id !== undefined),
    purpose: header(headers, 'x-waybill-purpose'),
  });
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
