import { readArrived, type Arrived, type Said } from './arrived.ts';
import type { ProtocolName } from '../../server/api/conversation.ts';
import type { FuzzCaller } from './meant.ts';

/** Something that arrived otherwise than it was meant, and the words by which a receipt names it. */
export interface Difference { aspect: string; meant: string; arrived: string; named: RegExp }

/** What a setting is called in a receipt. */
const settingWords: Readonly<Record<string, RegExp>> = {
  maxTokens: /max_tokens|max_completion_tokens|max_output_tokens|maxOutputTokens|output limit/, temperature: /temperature/, topP: /top_?p/i, topK: /top_?k/i, stop: /stop/, seed: /seed/, frequencyPenalty: /frequency/, presencePenalty: /presence/,
  user: /user|safety_identifier/, verbosity: /verbosity/, tier: /service_?tier/i, logprobs: /logprobs/, oneCallOnly: /parallel/, effort: /effort|thinking|reasoning/, format: /JSON|schema/, choice: /choice of a tool|tool_choice/, logitBias: /logit_bias/, metadata: /metadata/,
};

/**
 * Compares what the caller wrote with what the provider got, both read from their bodies. Empty texts and white space at the
 * borders of texts say nothing, and neither does the place of the system prompt.
 */
export function differences(caller: FuzzCaller, written: string, target: ProtocolName, sent: string): Difference[] {
  const meant = readArrived(caller, written);
  const arrived = readArrived(target, sent);
  return [...saidDifferences(meant, arrived), ...toolDifferences(meant, arrived), ...settingDifferences(meant, arrived, caller, target)];
}

const flat = (text: string): string => text.replace(/\s+/g, '');

function textOf(said: readonly Said[], kinds: readonly Said['kind'][]): string {
  return said.map(one => (kinds.includes(one.kind) && 'text' in one ? flat(one.text) : '')).join('');
}

function saidDifferences(meant: Arrived, arrived: Arrived): Difference[] {
  const found: Difference[] = [];
  const compare = (aspect: string, before: string, after: string, named: RegExp): void => {
    if (before !== after) found.push({ aspect, meant: before, arrived: after, named });
  };
  compare('system', textOf(meant.said, ['system']), textOf(arrived.said, ['system']), /instruction|JSON|schema|choice of a tool/);
  const instructions = /instruction|left out|document was sent as text|request to go on|pictures of results/;
  compare('user text', textOf(meant.said, ['user']), textOf(arrived.said, ['user']), instructions);
  compare('assistant text', textOf(meant.said, ['assistant']), textOf(arrived.said, ['assistant']), /assistant|bridge|empty/);
  const images = (said: readonly Said[]): string => said.map(one => (one.kind === 'image' ? one.data : '')).filter(data => data !== '').join(' ');
  compare('images', images(meant.said), images(arrived.said), /image/);
  const documents = (said: readonly Said[]): string => said.map(one => (one.kind === 'document' ? one.data : '')).filter(data => data !== '').join(' ');
  compare('documents', documents(meant.said), documents(arrived.said), /document/);
  const reasons = (said: readonly Said[]): string => (said.some(one => one.kind === 'reasoning') ? 'some' : 'none');
  if (reasons(arrived.said) === 'none') compare('reasoning', reasons(meant.said), 'none', /reasoning|thinking|empty message of the assistant/);
  const calls = (said: readonly Said[]): string => said.map(one => (one.kind === 'call' ? one.args : '')).filter(text => text !== '').join(' ');
  compare('arguments', calls(meant.said), calls(arrived.said), /argument/);
  const callNames = (said: readonly Said[]): string => said.map(one => (one.kind === 'call' ? one.name : '')).filter(text => text !== '').join(' ');
  compare('names in the history', callNames(meant.said), callNames(arrived.said), /names of tools/);
  const ids = (said: readonly Said[]): string => said.map(one => (one.kind === 'call' ? one.id : '')).filter(text => text !== '').join(' ');
  compare('ids', ids(meant.said), ids(arrived.said), /ids of tool calls/);
  compare('pairs', pairs(meant.said), pairs(arrived.said), /nothing names this/);
  compare('results', textOf(meant.said, ['result']), textOf(arrived.said, ['result']), /failed result|pictures of results/);
  return found;
}

/** Which call each result answers, by their places. */
function pairs(said: readonly Said[]): string {
  const places = new Map<string, number>();
  let calls = 0;
  const found: string[] = [];
  for (const one of said) {
    if (one.kind === 'call') places.set(one.id, calls += 1);
    else if (one.kind === 'result') found.push(String(places.get(one.id)));
  }
  return found.join(' ');
}

function toolDifferences(meant: Arrived, arrived: Arrived): Difference[] {
  const found: Difference[] = [];
  const compare = (aspect: string, read: (tool: Arrived['tools'][number]) => string, named: RegExp): void => {
    const before = meant.tools.map(read).join(' ');
    const after = arrived.tools.map(read).join(' ');
    if (before !== after) found.push({ aspect, meant: before, arrived: after, named });
  };
  compare('names of tools', tool => tool.name, /names of tools|tools were left out|with that tool alone/);
  compare('descriptions', tool => tool.description, /tools were left out|with that tool alone/);
  // An object without properties and no schema at all say the same.
  compare('schemas', tool => (/^(?:null|\{\}|\{("properties":\{\},)?"type":"object"\})$/.test(tool.schema) ? '{}' : tool.schema), /definitions of tools|tools were left out|with that tool alone/);
  return found;
}

function settingDifferences(meant: Arrived, arrived: Arrived, caller: FuzzCaller, target: ProtocolName): Difference[] {
  return Object.keys(settingWords).flatMap((name): Difference[] => {
    const before = meant.settings[name];
    const after = arrived.settings[name];
    // An output limit has to be written for Messages; `auto` is what no choice means.
    if (before === after || before === undefined || (name === 'choice' && (before === 'auto' || after === before))) return [];
    // One thing in two protocols.
    if (name === 'choice' && before.startsWith('one:') && after?.startsWith('one:') === true) return [];
    if (name === 'choice' && before === 'none' && arrived.tools.length === 0) return [];
    if (name === 'effort' && caller !== target && after !== undefined && !(before.startsWith('"') && after.startsWith('"'))) return [];
    if (name === 'stop' && target === 'openai-responses') return [];
    const named = settingWords[name] ?? /./;
    return [{ aspect: name, meant: before, arrived: after ?? 'nothing', named }];
  });
}
