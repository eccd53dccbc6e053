import type { ContentPart, ConversationRequest } from '../../api/conversation.ts';
import { asString, isObject, type JsonObject } from '../../base/json.ts';
import { elementBefore } from '../../base/listTail.ts';
import type { ByteRange } from '../../base/objectScan.ts';
import { withoutHarness } from '../../routing/purpose/callerText.ts';
import { looksFailed, type RecentSteps, type Step } from '../../routing/purpose/steps.ts';
import type { RawBody, RequestBody } from '../request.ts';

/** How far a conversation is looked through, from its last message back to what was asked. */
export interface LookBack {
  readonly messages: number;
  /** So much of them is walked over, and so much parsed, in bytes. */
  readonly walkBytes: number;
  readonly parseBytes: number;
  /** A longer message is not parsed. */
  readonly messageBytes: number;
}

const shortLook: LookBack = { messages: 16, walkBytes: 128 * 1024, parseBytes: 32 * 1024, messageBytes: 32 * 1024 };
const longestParse = 32 * 1024;
/** Of a longer message its beginning and its end are read as they stand. */
const peekedBytes = 3000;
const longestText = 4000;
const longestCall = 2000;
const instructionsLength = 1000;

const messageFields = ['messages', 'input', 'contents', 'prompt'];
const instructionFields = ['system', 'instructions', 'systemInstruction', 'system_instruction'];

const nothing: RecentSteps = { instructions: '', steps: [] };

/** The end of a conversation in any protocol. The bytes are read from their end: what stands before the last question is not looked at. */
export function recentSteps(body: RequestBody, lookBack: LookBack = shortLook): RecentSteps {
  if (body.kind === 'embedding') return nothing;
  if (body.raw !== undefined) return stepsOfBytes(body.raw, lookBack);
  if (body.kind === 'completion') return { instructions: '', steps: [{ type: 'asked', text: body.request.prompt.slice(-longestText) }] };
  try {
    return stepsOfConversation(body.decoded(), lookBack);
  } catch {
    // The exchange reports what is wrong with the body when it needs it.
    return nothing;
  }
}

function stepsOfConversation({ system, messages }: ConversationRequest, lookBack: LookBack): RecentSteps {
  const newestFirst: Step[] = [];
  for (let index = messages.length - 1; index >= Math.max(0, messages.length - lookBack.messages); index--) {
    const message = messages[index];
    if (message === undefined || message.role === 'system') continue;
    if (take(stepsOfParts(message.content, message.role === 'user'), newestFirst)) break;
  }
  return { instructions: system.map(part => part.text).join('\n').slice(0, instructionsLength), steps: newestFirst.reverse() };
}

function stepsOfParts(parts: readonly ContentPart[], byUser: boolean): Step[] {
  const steps: Step[] = [];
  let text = '';
  for (const part of parts) {
    if (part.type === 'tool-call') steps.push({ type: 'called', call: `${part.name} ${part.arguments}`.slice(0, longestCall) });
    else if (part.type === 'tool-result') steps.push({ type: 'returned', failed: part.isError === true || looksFailed(part.content.find(one => one.type === 'text')?.text ?? '') });
    else if (part.type === 'text' && byUser) text += `${part.text}\n`;
  }
  addAsked(text, steps);
  return steps;
}

function stepsOfBytes(raw: RawBody, lookBack: LookBack): RecentSteps {
  const { bytes, scan } = raw;
  let list: ByteRange | undefined;
  for (const field of messageFields) list ??= scan.fields.get(field);
  if (list === undefined) return nothing;
  if (bytes[list.start] !== openBracket) {
    const steps: Step[] = [];
    addAsked(textOf(peekedValue(bytes, list)), steps);
    return { instructions: instructionsIn(raw, undefined), steps };
  }
  const newestFirst: Step[] = [];
  let before = list.end - 1;
  let parsed = 0;
  for (let count = 0; count < lookBack.messages && list.end - before < lookBack.walkBytes; count++) {
    const range = elementBefore(bytes, list, before, lookBack.walkBytes);
    if (range === undefined) break;
    before = range.start - 1;
    const isShort = range.end - range.start <= Math.min(lookBack.messageBytes, lookBack.parseBytes - parsed);
    if (isShort) parsed += range.end - range.start;
    const steps = isShort ? stepsOfMessage(parsedValue(bytes, range)) : peekedSteps(bytes, range);
    if (take(steps, newestFirst)) break;
  }
  return { instructions: instructionsIn(raw, list), steps: newestFirst.reverse() };
}

const openBracket = 0x5b;

/** Adds the steps of a message before those that followed it. @returns true when what was asked is among them */
function take(steps: readonly Step[], newestFirst: Step[]): boolean {
  for (let index = steps.length - 1; index >= 0; index--) {
    const step = steps[index] as Step;
    newestFirst.push(step);
    if (step.type === 'asked') return true;
  }
  return false;
}

function addAsked(text: string, steps: Step[]): void {
  const own = withoutHarness(text.length <= 2 * longestText ? text : `${text.slice(0, longestText)}\n${text.slice(-longestText)}`).trim();
  if (own !== '') steps.push({ type: 'asked', text: own });
}

/** A message or item of any protocol. */
function stepsOfMessage(message: unknown): Step[] {
  const steps: Step[] = [];
  if (typeof message === 'string') addAsked(message, steps);
  if (!isObject(message)) return steps;
  const { role, type } = message;
  const kind = asString(type) ?? '';
  if (role === 'tool' || role === 'function' || kind.endsWith('_output') || kind === 'mcp_tool_result') {
    steps.push({ type: 'returned', failed: message['status'] === 'failed' || looksFailed(textOf(message['content'] ?? message['output'])) });
    return steps;
  }
  if (kind.endsWith('_call')) {
    addCall(message['name'] ?? kind, message['arguments'] ?? message['input'] ?? message['action'], steps);
    return steps;
  }
  if (role === 'system' || role === 'developer' || kind === 'reasoning') return steps;
  const content = message['content'] ?? message['parts'];
  let text = typeof content === 'string' ? content : '';
  if (Array.isArray(content)) for (const part of content) if (isObject(part)) text += partText(part, steps);
  const calls = message['tool_calls'];
  if (Array.isArray(calls)) {
    for (const call of calls) {
      const called = isObject(call) ? call['function'] ?? call['custom'] : undefined;
      if (isObject(called)) addCall(called['name'], called['arguments'] ?? called['input'], steps);
    }
  }
  if (role === 'user' || role === undefined) addAsked(text, steps);
  return steps;
}

/** @returns the text of a part that has some; calls and results are added to the steps */
function partText(part: JsonObject, steps: Step[]): string {
  const response = part['functionResponse'] ?? part['function_response'];
  const call = part['functionCall'] ?? part['function_call'];
  if (part['type'] === 'tool_result') steps.push({ type: 'returned', failed: part['is_error'] === true || looksFailed(textOf(part['content'])) });
  else if (part['type'] === 'tool_use') addCall(part['name'], part['input'], steps);
  else if (isObject(call)) addCall(call['name'], call['args'], steps);
  else if (isObject(response)) {
    const result = response['response'];
    steps.push({ type: 'returned', failed: isObject(result) && (result['error'] !== undefined || looksFailed(textOf(result['output'] ?? result['result'] ?? ''))) });
  } else {
    const text = asString(part['text']);
    return text === undefined || part['thought'] === true ? '' : `${text}\n`;
  }
  return '';
}

function addCall(name: unknown, given: unknown, steps: Step[]): void {
  steps.push({ type: 'called', call: `${asString(name) ?? ''} ${asString(given) ?? JSON.stringify(given) ?? ''}`.slice(0, longestCall) });
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(part => textOf(isObject(part) ? part['text'] : part)).join('\n');
  return isObject(value) ? textOf(value['text'] ?? value['output'] ?? '') : '';
}

/** The steps of a message that is too long to be parsed. */
function peekedSteps(bytes: Buffer, range: ByteRange): Step[] {
  const text = peekedValue(bytes, range);
  const steps: Step[] = [];
  if (/"role":\s?"(?:tool|function)"|"type":\s?"(?:tool_result|[a-z_]{1,40}_output)"|"function_?[Rr]esponse":/.test(text)) steps.push({ type: 'returned', failed: /"is_error":\s?true/.test(text) });
  else if (/"role":\s?"user"/.test(text)) addAsked(text, steps);
  return steps;
}

/** The beginning and the end of a value, as text. */
function peekedValue(bytes: Buffer, { start, end }: ByteRange): string {
  const value = end - start <= longestParse ? parsedValue(bytes, { start, end }) : undefined;
  if (typeof value === 'string') return value;
  const text = end - start <= 2 * peekedBytes ? bytes.toString('utf8', start, end) : `${bytes.toString('utf8', start, start + peekedBytes)}\n${bytes.toString('utf8', end - peekedBytes, end)}`;
  return text.replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16))).replace(/\\[nrt]/g, ' ');
}

function parsedValue(bytes: Buffer, { start, end }: ByteRange): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as unknown;
  } catch {
    return undefined;
  }
}

/** The beginning of the instructions as it stands, in a field of their own or in the first message. */
function instructionsIn({ bytes, scan }: RawBody, list: ByteRange | undefined): string {
  for (const field of instructionFields) {
    const range = scan.fields.get(field);
    if (range !== undefined) return bytes.toString('utf8', range.start, Math.min(range.end, range.start + instructionsLength));
  }
  if (list === undefined) return '';
  const head = bytes.toString('utf8', list.start, Math.min(list.end, list.start + instructionsLength));
  return /^\[\s*\{\s*"[^}]{0,900}"role":\s?"(?:system|developer)"|^\[\s*\{\s*"role":\s?"(?:system|developer)"/.test(head) ? head : '';
}
