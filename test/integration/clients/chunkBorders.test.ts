import assert from 'node:assert/strict';
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import { recordedCodec, recording } from '../../unit/protocols/replay.ts';
import { bodyOf, headersOf, pathOf, readCallerAnswer, type CallerAnswer } from '../support/codecCaller.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** Complete streams, and one with CRLF ends of lines. Their names begin with the protocol they were recorded from. */
const names = ['chatText', 'chatTools', 'chatReasoningCrlf', 'messagesText', 'messagesThinkingTools', 'responsesText', 'responsesTools', 'geminiText', 'geminiTools'];
const atOnce = 8;

/** So many bytes lie between two cuts of one replay: longer than most events, so that whole events and halves are mixed. */
const stride = 128;

/** Replays the recorded stream its path names, cut where the prompt says: `whole`, `bytes` (after every byte), or every `stride` bytes from a byte on. */
async function replay(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = recording((request.url ?? '').split('/')[1] ?? '');
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += String(piece);
  const cut = /"cut (\w+)"/.exec(body)?.[1] ?? '';
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const step = cut === 'whole' ? bytes.length : cut === 'bytes' ? 1 : stride;
  // Each write is a chunk of its own on the wire, and reaches the reader as one, however TCP joins them.
  let from = 0;
  for (let at = step === stride ? Number(cut) : step; from < bytes.length; at += step) {
    response.write(bytes.subarray(from, at));
    from = Math.min(at, bytes.length);
  }
  response.end();
}

describe('a recorded stream, cut at every byte', () => {
  let upstream: Server;
  let testRouter: TestRouter;
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });

  before(async () => {
    upstream = createServer((request, response) => void replay(request, response));
    await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as AddressInfo;
    const endpoints = names.map(name => [name, {
      provider: 'sandbox', protocol: recordedCodec(name).protocol, probe: { enabled: false }, models: { m: {} },
      baseUrl: `http://127.0.0.1:${port}/${name}`,
    }] as const);
    testRouter = await startTestRouter({ endpoints: Object.fromEntries(endpoints) });
  });
  after(async () => {
    agent.destroy();
    await testRouter.close();
    upstream.close();
    upstream.closeAllConnections();
  });

  function ask(caller: ProtocolName, name: string, cut: number | string): Promise<RawAnswer> {
    const model = `${name}/m`;
    const request = { system: [], messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: `cut ${cut}` }] }], tools: [{ name: 'read', parameters: { type: 'object' } }] };
    const body = bodyOf({ caller, model, stream: true, request });
    return rawRequest({ url: testRouter.url + pathOf(caller, model, true), headers: headersOf(caller, testRouter.token), body: JSON.stringify(body), agent });
  }

  for (const name of names) for (const caller of protocolNames) {
    const same = recordedCodec(name).protocol === caller;
    it(`${name} reaches a caller that speaks ${caller} with the same ${same ? 'bytes' : 'meaning'}`, async () => {
      const recorded = recording(name);
      const whole = await ask(caller, name, 'whole');
      const expected = readCallerAnswer(caller, whole.status, whole.text, true);
      assert.ok(expected.complete && expected.answer.error === undefined && (expected.text !== '' || expected.answer.parts.some(part => part.type === 'tool-call')), whole.text.slice(0, 500));
      if (same) assert.ok(whole.body.equals(recorded), 'the uncut stream was changed');
      const cuts: (number | string)[] = ['bytes', ...Array.from({ length: Math.min(stride, recorded.length - 1) }, (_, index) => index + 1)];
      const changed: string[] = [];
      await Promise.all(Array.from({ length: atOnce }, async () => {
        for (let cut = cuts.pop(); cut !== undefined; cut = cuts.pop()) {
          const answer = await ask(caller, name, cut);
          const good = answer.endedCleanly && (same ? answer.body.equals(recorded) : sameMeaning(answer, expected, caller));
          if (!good) changed.push(`cut at ${cut}: ${answer.text.slice(0, 200)}`);
        }
      }));
      assert.deepEqual(changed.slice(0, 3), []);
    });
  }
});

/** Ids are of one exchange only; everything else must be the same. */
function sameMeaning(answer: RawAnswer, expected: CallerAnswer, caller: ProtocolName): boolean {
  const meaning = (read: CallerAnswer): string => JSON.stringify({ ...read.answer, id: undefined, complete: read.complete });
  return meaning(readCallerAnswer(caller, answer.status, answer.text, true)) === meaning(expected);
}
