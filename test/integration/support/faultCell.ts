import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConversationRequest } from '../../../server/api/conversation.ts';
import type { ChatEvent } from '../../../server/api/messages.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, readAnswer, requestBody } from './callerProtocols.ts';
import { EditorDoor } from './editorDoor.ts';
import type { FaultCell, FaultExpectation, FaultRow } from './faultRow.ts';
import { rawRequest } from './rawClient.ts';
import { sandboxEndpoint } from './sandboxPair.ts';
import { startTestHouse, type TestHouse } from './testHouse.ts';

/** What one cell turned out to be. */
export interface FaultResult extends FaultExpectation {
  row: FaultRow;
  cell: FaultCell;
  /** Broken promises, in words; empty when all were kept. */
  violations: string[];
}

/** Who answered, how it ended, and which exchange it was. */
interface Seen { outcome: string; exchangeId: string; violations: string[] }

const pem = (name: string): string => readFileSync(new URL(`../fixtures/selfSigned.${name}.pem`, import.meta.url), 'utf8');
const certificate = { key: pem('key'), cert: pem('cert') };
const toolPrompt = 'call tool look_up {"place":"Rome on the Tiber, seen from the Janiculum hill","day":3}';
const wordsPrompt = 'Tell me something in a good dozen of words, please, so that there is a middle to break in.';

/** Plays one fault on a server, providers and callers of its own. */
export async function playFault(row: FaultRow, cell: FaultCell): Promise<FaultResult> {
  const a = await startSandboxProvider({ protocol: cell.target, name: 'a', ...(row.tls === true ? { tls: certificate } : {}) });
  const b = await startSandboxProvider({ protocol: cell.target, name: 'b' });
  const elsewhere = row.watchRedirect === true ? await startSandboxProvider({ protocol: cell.target, name: 'elsewhere' }) : undefined;
  const script = row.behaviour(cell);
  a.script('type' in script && script.type === 'redirect' ? { ...script, location: `${elsewhere?.url ?? ''}/chat/completions` } : script);
  const house = await startTestHouse(configuration(row, a, b));
  const editor = cell.caller === 'editor' || row.notice !== undefined ? new EditorDoor(house.house) : undefined;
  try {
    await editor?.open();
    const seen = cell.caller === 'editor' && editor !== undefined ? await askAsEditor(editor, row) : await askOverHttp(house, row, cell);
    const receipt = await house.receipt(seen.exchangeId);
    const violations = [...seen.violations, ...receiptViolations(row, receipt), ...await stateViolations(house, row)];
    if (elsewhere !== undefined && elsewhere.requests.length > 0) violations.push('a redirect was followed');
    if (editor !== undefined && row.notice !== undefined) violations.push(...await noticeViolations(editor, row.notice));
    return { row, cell, outcome: seen.outcome, attempts: attemptWords(receipt), violations };
  } finally {
    editor?.close();
    await house.close();
    await Promise.all([a.close(), b.close(), elsewhere?.close()]);
  }
}

function configuration(row: FaultRow, a: SandboxProvider, b: SandboxProvider): Parameters<typeof startTestHouse>[0] {
  const keyNames = Array.from({ length: row.keys ?? 0 }, (_, index) => `KEY_${index + 1}`);
  const settingsA: Partial<EndpointSettings> = { ...row.settings?.(a.url), ...(keyNames.length === 0 ? {} : { keys: keyNames.map(name => `\${${name}}`) }) };
  const endpointA = sandboxEndpoint(a, settingsA);
  const endpointB = sandboxEndpoint(b);
  if (row.windows !== undefined) {
    endpointA.models = { m: { ...endpointA.models?.m, contextWindow: row.windows.a } };
    endpointB.models = { m: { ...endpointB.models?.m, contextWindow: row.windows.b } };
  }
  return {
    endpoints: { a: endpointA, b: endpointB },
    routes: { auto: { targets: row.alone === true ? ['a/m'] : ['a/m', 'b/m'] } },
    environment: Object.fromEntries(keyNames.map((name, index) => [name, `sandbox-key-number-${index + 1}`])),
  };
}

async function askOverHttp(house: TestHouse, row: FaultRow, { caller, mode }: FaultCell): Promise<Seen> {
  if (caller === 'editor') throw new Error('the editor does not speak HTTP');
  const stream = mode === 'stream';
  const body = requestBody(caller, { model: 'auto', prompt: row.tool === true ? toolPrompt : wordsPrompt, stream, tools: row.tool === true });
  const answer = await rawRequest({ url: house.url + callerPath[caller], headers: callerHeaders(caller, house.token), body: JSON.stringify(body) });
  const seen = readAnswer(caller, answer.text, stream);
  const exchangeId = String(answer.headers['x-switchyard-exchange']);
  const violations: string[] = [];
  if (seen.error === undefined && !seen.finished) violations.push(`a silent truncation: ${answer.text.slice(-200)}`);
  if (seen.error !== undefined && seen.finished) violations.push('an error and an end');
  if (answer.status === 200 && seen.error !== undefined && answer.endedCleanly) violations.push('a broken stream ended cleanly');
  if (answer.status === 200 && seen.error !== undefined && row.tool !== true && seen.text === '') violations.push('an error event before any text');
  if (answer.status !== 200 && !answer.endedCleanly) violations.push('an error answer broke off');
  for (const call of seen.toolCalls) if (!isWholeCall(call)) violations.push(`a half tool call was handed over: ${call.arguments}`);
  if (seen.error === undefined && row.tool === true && seen.toolCalls.length !== 1) violations.push(`${seen.toolCalls.length} tool calls`);
  if (row.says !== undefined && seen.error !== undefined && !row.says.test(seen.error.message)) violations.push(`the error says: ${seen.error.message}`);
  if (/\bE[A-Z]{5,}\b|UND_ERR|HPE_|undefined|\[object/.test(seen.error?.message ?? '')) violations.push(`the error speaks of internals: ${seen.error?.message ?? ''}`);
  const openings = caller === 'openai-chat' ? new Set([...answer.text.matchAll(/"id":"(chatcmpl[^"]*|swy[^"]*)"/g)].map(match => match[1])).size : answer.text.match(/event: message_start/g)?.length ?? 1;
  if (stream && answer.status === 200 && openings > 1) violations.push('the opening of a failed attempt reached the caller');
  return { outcome: httpOutcome(answer, seen, row), exchangeId, violations };
}

function httpOutcome(answer: Awaited<ReturnType<typeof rawRequest>>, seen: ReturnType<typeof readAnswer>, row: FaultRow): string {
  if (answer.status !== 200) {
    const wait = row.number === 15 && answer.headers['retry-after'] !== undefined ? `, come back in ${answer.headers['retry-after']} s` : '';
    return `error ${answer.status}${wait}${answer.headers['x-should-retry'] === 'false' ? ', do not retry' : ''}`;
  }
  if (seen.error !== undefined) return 'error event, then the connection breaks';
  return `answered by ${String(answer.headers['x-switchyard-target']).split('/')[0] ?? ''}`;
}

async function askAsEditor(editor: EditorDoor, row: FaultRow): Promise<Seen> {
  const { events, result } = await editor.chat('auto', conversation(row));
  const violations: string[] = [];
  const restartAt = events.findLastIndex(event => event.type === 'restart');
  const counted = events.slice(restartAt + 1);
  const ended = new Set(counted.flatMap(event => (event.type === 'tool-call-end' ? [event.index] : [])));
  for (const index of ended) {
    const text = counted.map(event => (event.type === 'tool-call-arguments' && event.index === index ? event.text : '')).join('');
    if (!isWholeCall({ arguments: text })) violations.push(`a half tool call was handed over: ${text}`);
  }
  if (restartAt > 0 && events.slice(0, restartAt).some(event => event.type === 'tool-call-end')) violations.push('a call was handed over and then the answer began again');
  if (counted.filter(event => event.type === 'start').length > 1) violations.push('the opening of a failed attempt reached the editor');
  if (events.some(event => event.type === 'error')) violations.push('an error event reached the editor');
  if (result.outcome === 'ok' && !hasContent(counted)) violations.push('an answer without content');
  if (row.says !== undefined && result.error !== undefined && !row.says.test(result.error.message)) violations.push(`the error says: ${result.error.message}`);
  const outcome = result.outcome === 'ok'
    ? `${restartAt >= 0 ? 'starts again in sight, ' : ''}answered by ${result.target?.split('/')[0] ?? ''}`
    : `error ${result.error?.failureClass ?? result.outcome}`;
  return { outcome, exchangeId: result.exchangeId, violations };
}

function conversation(row: FaultRow): ConversationRequest {
  return {
    system: [], messages: [{ role: 'user', content: [{ type: 'text', text: row.tool === true ? toolPrompt : wordsPrompt }] }],
    tools: row.tool === true ? [{ name: 'look_up', parameters: { type: 'object', properties: { place: { type: 'string' }, day: { type: 'integer' } } } }] : [],
  };
}

function hasContent(events: readonly ChatEvent[]): boolean {
  return events.some(event => ((event.type === 'text' || event.type === 'refusal') && event.text !== '') || event.type === 'tool-call-end');
}

function isWholeCall(call: { arguments: string }): boolean {
  try {
    return 'day' in (JSON.parse(call.arguments) as object);
  } catch {
    return false;
  }
}

function attemptWords(receipt: Receipt): string {
  return receipt.attempts.map(attempt => `${attempt.endpoint} ${attempt.failureClass ?? attempt.outcome}`).join(', ');
}

function receiptViolations(row: FaultRow, receipt: Receipt): string[] {
  const violations: string[] = [];
  for (const attempt of receipt.attempts) {
    if (attempt.outcome === 'failed' && (attempt.failureClass === undefined || attempt.message === undefined)) violations.push('a failed attempt without class or sentence');
    if (attempt.totalMs <= 0) violations.push('an attempt that took no time');
    if (attempt.outcome === 'ok' && (attempt.usage.outputTokens ?? 0) === 0) violations.push('a good attempt without usage');
    // What was said before it broke was paid for.
    if (attempt.outcome === 'failed' && attempt.firstTokenMs !== undefined && (attempt.usage.outputTokens ?? 0) === 0) violations.push('a broken answer without usage');
    if (attempt.outcome === 'failed' && attempt.firstTokenMs !== undefined && attempt.cost.certainty !== 'estimated') violations.push(`a broken answer whose cost is ${attempt.cost.certainty} and not marked as estimated`);
  }
  const first = receipt.attempts[0];
  if (row.says !== undefined && first?.message !== undefined && !row.says.test(first.message)) violations.push(`the receipt says: ${first.message}`);
  if (row.certainty !== undefined && receipt.cost.certainty !== row.certainty) violations.push(`the cost is ${receipt.cost.certainty}`);
  const expected = receipt.attempts.every(attempt => attempt.outcome !== 'ok') ? 'failed' : 'ok';
  if (receipt.outcome !== expected) violations.push(`the exchange is ${receipt.outcome}`);
  return violations;
}

async function stateViolations(house: TestHouse, row: FaultRow): Promise<string[]> {
  const { endpoints } = await house.status();
  const state = endpoints.find(endpoint => endpoint.name === 'a');
  const violations: string[] = [];
  if (state?.breaker !== (row.breaker ?? 'closed')) violations.push(`the breaker is ${state?.breaker ?? 'missing'}`);
  const keys = state?.keys.map(key => key.state).join(', ') ?? '';
  if (row.keyStates !== undefined && keys !== row.keyStates.join(', ')) violations.push(`the keys are: ${keys}`);
  return violations;
}

/** Notices travel beside the answer; a moment may pass between the two. */
async function noticeViolations(editor: EditorDoor, kind: string): Promise<string[]> {
  for (let tries = 0; editor.notices.length === 0 && tries < 50; tries += 1) await sleep(10);
  const kinds = editor.notices.map(notice => notice.kind).join(', ');
  return kinds === kind ? [] : [`the editor was told: ${kinds || 'nothing'}`];
}
