import type { RequestRole } from '../../api/purpose.ts';
import { foldText } from './foldText.ts';
import type { RecentSteps } from './steps.ts';

/*
 * What tools that send no header about it write into requests of their own. Each is a part of the prompt that the public source
 * of the tool has: Claude Code, Codex, OpenCode, Gemini CLI, Cline, Copilot Chat.
 */
const compactions = [
  'detailed summary of the conversation', 'summary of the conversation so far', 'context checkpoint compaction', 'summarize the conversation so far', 'tasked with summarizing conversations', 'summarizing the conversation',
  'distill the entire history', 'summarizes internal chat history', 'anchored summary from the conversation', 'context summarization agent',
];
const errands = [
  'title generator', 'generate a title', 'concise title', 'short title', 'pithy titles', 'conversation title', 'thread title', 'sentence-case title', 'new conversation topic', 'commit message', 'branch name', 'git commit',
  'suggest follow-up', 'follow up questions', 'summarize this coding conversation in under', 'session title',
];

/** The role that the text of a request shows; undefined where it shows none. @param tools the caller offers tools, which errands never do */
export function errandOf({ instructions, steps }: RecentSteps, tools: boolean): { role: RequestRole; why: string } | undefined {
  const last = steps.at(-1);
  const asked = last?.type === 'asked' ? foldText(last.text.slice(0, 1500)) : '';
  const head = tools ? '' : foldText(instructions);
  if (compactions.some(phrase => asked.includes(phrase) || head.includes(phrase))) return { role: 'compaction', why: 'it asks for a summary of its whole conversation' };
  // A person may ask for a commit message too: only the instructions of an errand are about it from the beginning.
  return !tools && errands.some(phrase => head.includes(phrase)) ? { role: 'auxiliary', why: 'its instructions are those of a title, a commit message or another errand' } : undefined;
}
