import { isObject, type JsonObject } from '../../../server/base/json.ts';
import { seededRandom } from '../../unit/support/seededRandom.ts';
import { contentText, list, text, type SeenRequest, type Turn } from '../wires/wire.ts';
import { callOf, mandateOf, prose, type Act, type Step } from './acts.ts';

/** What tools write into requests for a summary of their own conversation. */
const compaction = /detailed summary of (?:the|our|this) conversation|summary of the conversation so far|context checkpoint compaction|summarize the conversation|anchored summary|context summarization agent/i;

/**
 * The scripted model of one session. Each prompt of the person gives it steps; it answers the requests that follow with one step each, and then
 * with words. Agents that it starts have steps of their own, and requests for a title or a summary get one.
 */
export class SessionModel {
  #steps: Step[] = [];
  readonly #delegated = new Map<string, Step[]>();
  readonly #folder: string;
  readonly #random;
  #serial = 0;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#random = seededRandom(seed);
  }

  /** The person asks for something. */
  begin(steps: readonly Step[]): void {
    this.#steps = [...steps];
    for (const act of steps.flat()) if (act.do === 'delegate') this.#delegated.set(act.name, [...act.steps]);
  }

  /** Steps of the last prompt that were not asked for. */
  get left(): number {
    return this.#steps.length;
  }

  turnOf(seen: SeenRequest, body: JsonObject): Turn {
    const { first, last } = userTexts(body);
    this.#serial += 1;
    if (compaction.test(last)) return { text: this.#words(500, 1100) };
    if (seen.tools.length === 0) return { text: isObject(body.output_config) || isObject(body.text) ? JSON.stringify({ title: prose(5, this.#serial) }) : prose(6, this.#serial) };
    const name = [...this.#delegated.keys()].find(one => first.includes(mandateOf(one)));
    const step = (name === undefined ? this.#steps : this.#delegated.get(name) ?? []).shift();
    if (step === undefined) return { thinking: this.#words(20, 120), text: this.#words(120, 420) };
    return { thinking: this.#words(15, 160), ...(this.#random() < 0.6 ? { text: this.#words(8, 50) } : {}), calls: step.map((act: Act) => callOf(act, seen, this.#folder)) };
  }

  #words(least: number, most: number): string {
    return prose(Math.round(least + (most - least) * this.#random() ** 2), this.#serial);
  }
}

/** What was said before the first answer, and what was said last. */
function userTexts(body: JsonObject): { first: string; last: string } {
  const messages = list(body.messages ?? body.input);
  const answered = messages.findIndex(({ role, type }) => role === 'assistant' || type === 'function_call' || type === 'reasoning');
  const asked = messages.filter(({ role }) => role === 'user' || role === 'system' || role === 'developer');
  const texts = (part: readonly JsonObject[]): string => part.map(({ content }) => contentText(content)).join('\n');
  return {
    first: texts(answered === -1 ? messages : messages.slice(0, answered)),
    last: texts(messages.length <= 2 ? asked : asked.slice(-1)) + (messages.length <= 2 ? text(body.instructions) + contentText(body.system) : ''),
  };
}
