import http from 'node:http';
import type { ConversationRequest, ProtocolName } from '../../server/api/conversation.ts';
import type { EndpointSettings } from '../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../server/sandbox/sandboxProvider.ts';
import { completeCalls } from '../../server/protocols/events.ts';
import { headersOf, pathOf, readCallerAnswer } from '../integration/support/codecCaller.ts';
import { rawRequest } from '../integration/support/rawClient.ts';
import { startTestRouter, type TestRouter } from '../integration/support/testRouter.ts';
import { callerBody } from './callerBody.ts';
import { differences } from './compare.ts';
import { fuzzCallers, randomMeant, type FuzzCaller } from './meant.ts';
import { EditorDoor } from '../integration/support/editorDoor.ts';
import { Random } from './random.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { fuzzTargets } from './targets.ts';

/** One thing that went wrong, and the request that shows it. */
export interface Finding { kind: 'refused' | 'silent' | 'failed'; target: string; model: string; caller: FuzzCaller; seed: number; words: string; written: string; sent: string }

export interface FuzzResult { requests: number; findings: Finding[] }

interface Played { target: FuzzTarget; name: string; provider: SandboxProvider; seen: number }

/**
 * Sends random requests of four protocols and of the editor to each strict simulator, through a whole server. A refusal is a finding, and so is
 * whatever arrives otherwise than it was meant while the receipt does not name it.
 * @param count of requests to each simulator
 */
export async function runFuzz({ count, seed, only, onProgress }: { count: number; seed: number; only?: string | undefined; onProgress?: ((words: string) => void) | undefined }): Promise<FuzzResult> {
  const played: Played[] = [];
  for (const target of fuzzTargets) {
    const name = `${target.protocol}.${target.provider}`;
    if (only === undefined || name.includes(only)) played.push({ target, name, provider: await startSandboxProvider({ protocol: target.protocol, name, strict: target.provider, journalLimit: 50 }), seen: 0 });
  }
  const router = await startTestRouter({ endpoints: Object.fromEntries(played.map(one => [one.name, endpointOf(one)])), environment: { FUZZ_KEY: 'sk-fuzz-key-0000000000' } });
  const editor = new EditorDoor(router.testRouter);
  await editor.open();
  // Vendors refuse reasoning that they did not sign.
  for (const { target, provider } of played) if (signers.has(target.provider)) provider.script({ type: 'reject-foreign-thinking' });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const result: FuzzResult = { requests: 0, findings: [] };
  try {
    for (const one of played) {
      for (let number = 0; number < count; number += 1) {
        result.requests += 1;
        result.findings.push(...await playOne(one, { router, agent, editor }, seed * 1_000_003 + number));
      }
      onProgress?.(`${one.name}: ${count} requests, ${result.findings.filter(({ target }) => target === one.name).length} findings`);
    }
  } finally {
    agent.destroy();
    editor.close();
    await router.close();
    for (const { provider } of played) await provider.close();
  }
  return result;
}

function endpointOf({ target, provider }: Played): EndpointSettings {
  return {
    provider: target.provider, protocol: target.protocol, baseUrl: provider.url, keys: ['${FUZZ_KEY}'], probe: { enabled: false }, breaker: { failures: 1000 },
    models: Object.fromEntries(target.models.map(model => [model.replace(/^.*\//, ''), { upstream: model, images: true, tools: true, thinking: true, ...target.facts?.[model] }])),
  };
}

/** Vendors that know their own signatures. */
const signers: ReadonlySet<string> = new Set(['openai', 'anthropic', 'gemini']);

interface Doors { router: TestRouter; agent: http.Agent; editor: EditorDoor }

async function playOne(one: Played, { router, agent, editor }: Doors, seed: number): Promise<Finding[]> {
  const random = new Random(seed);
  const caller = random.pick(fuzzCallers);
  const model = random.pick(one.target.models);
  const meant = randomMeant(random, caller);
  const asked = `${one.name}/${model.replace(/^.*\//, '')}`;
  const written = JSON.stringify(callerBody(meant, asked));
  const edited = caller === 'editor' ? (await editor.chat(asked, JSON.parse(written) as ConversationRequest)).result : undefined;
  const answer = edited !== undefined ? { status: edited.outcome === 'ok' ? 200 : 503, text: edited.error?.message ?? '', headers: { 'x-waybill-exchange': edited.exchangeId } }
    : await rawRequest({ url: router.url + pathOf(caller as ProtocolName, asked, meant.stream), headers: headersOf(caller as ProtocolName, router.token), body: written, agent });
  const got = one.provider.requests.filter(({ number }) => number > one.seen);
  one.seen = one.provider.requests.at(-1)?.number ?? one.seen;
  const finding = (kind: Finding['kind'], words: string, sent: string): Finding => ({ kind, target: one.name, model, caller, seed, words, written, sent });
  const refused = got.filter(({ status }) => status !== 200);
  // A signature is known to its maker alone: the request goes once more without it.
  if (refused.length === 1 && got.length === 2 && answer.status === 200 && meant.turns.some(turn => turn.role === 'assistant' && turn.signed !== undefined)) return [];
  if (refused.length > 0) return refused.map(request => finding('refused', answer.status === 200 ? 'a refusal that one more attempt mended' : answer.text.slice(0, 400), request.bodyText));
  const [arrived] = got;
  if (answer.status !== 200 || arrived === undefined) return [finding('failed', `${answer.status} ${answer.text.slice(0, 300)}`, '')];
  const known = new Set(meant.tools.map(({ name }) => name));
  const called = caller === 'editor' ? [] : completeCalls(readCallerAnswer(caller, answer.status, answer.text, meant.stream).answer).map(({ name }) => name).filter(name => !known.has(name));
  if (called.length > 0) return [finding('failed', `the answer calls ${called.join(', ')}, which the caller does not know`, arrived.bodyText)];
  const found = differences(caller, written, one.target.protocol, arrived.bodyText);
  if (found.length === 0) return [];
  const receipt = await router.receipt(String(answer.headers['x-waybill-exchange']));
  const notes = receipt.attempts.map(({ message }) => message ?? '').join(' ');
  return found.filter(({ named }) => !named.test(notes)).map(({ aspect, meant: before, arrived: after }) => finding('silent', `${aspect}: ${before.slice(0, 160)} arrived as ${after.slice(0, 160)}; the receipt says "${notes}"`, arrived.bodyText));
}
