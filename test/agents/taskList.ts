import { protocolNames, type ProtocolName } from '../../server/api/conversation.ts';
import { agents, type Agent } from './agents.ts';
import type { TaskRun } from './taskRun.ts';
import type { Breakdown } from './upstream.ts';

/** The other vendor that each protocol's agents use when their own provider breaks down. */
const substitutes: Readonly<Record<ProtocolName, ProtocolName>> = {
  'anthropic-messages': 'openai-chat', 'openai-responses': 'anthropic-messages', 'gemini': 'openai-chat', 'openai-chat': 'anthropic-messages',
};
/** Breakdowns after the first tool result: in turn a status, and a stream that ends before its first word. */
const breakdowns: Readonly<Record<ProtocolName, Breakdown>> = {
  'anthropic-messages': { afterResults: 1, how: 'status', status: 529 },
  'openai-responses': { afterResults: 1, how: 'cut', status: 200 },
  'gemini': { afterResults: 1, how: 'status', status: 503 },
  'openai-chat': { afterResults: 1, how: 'cut', status: 200 },
};

/**
 * Every task: each agent with a provider of each protocol, its own last, and once with a provider of its own that breaks
 * down in the middle of the task, and then without a token of its own.
 * @param wanted parts of agents' ids or names; none: all
 */
export function taskList(wanted: readonly string[]): TaskRun[] {
  const matches = ({ id, name }: Agent): boolean => wanted.length === 0 || wanted.some(part => `${id} ${name}`.toLowerCase().includes(part.toLowerCase()));
  return agents.filter(matches).flatMap((agent): TaskRun[] => {
    const others = protocolNames.filter(protocol => protocol !== agent.protocol);
    return [
      ...[...others, agent.protocol].map((protocol): TaskRun => ({ agent, targets: [{ protocol }], ownToken: true })),
      { agent, targets: [{ protocol: agent.protocol, breakdown: breakdowns[agent.protocol] }, { protocol: substitutes[agent.protocol] }], ownToken: false },
    ];
  });
}
