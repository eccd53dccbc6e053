import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { parseJson, type JsonObject } from '../../../server/base/json.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { startRefusingProvider, type RefusingProvider } from '../support/refusingProvider.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** As Claude Code sends it with tool search: numbers, spaces and unknown fields are as they are. */
const opening = '{ "max_tokens": 1e3,  "safeguards": {"mode":"auto","levels":[1.0]}, "new_field_of_2027": 12345678901234567890,\n';
const tools = '"tools": [{"name":"ToolSearch","description":"finds tools","input_schema":{"type":"object","properties":{"query":{"type":"string"}}}},'
  + '{"name":"mcp__ledger__read","description":"reads the ledger","input_schema":{"type":"object","properties":{"id":{"type":"integer","maximum":9007199254740993}}},"defer_loading":true},'
  + '{"name":"mcp__mail__send","description":"sends mail","input_schema":{"type":"object","properties":{}},"defer_loading":true},'
  + '{"name":"DeferredToolPlaceholder","description":"never call this tool","input_schema":{"type":"object","properties":{}},"defer_loading":true}]';
const history = '"messages": [{"role":"user","content":[{"type":"text","text":"read entry 7","new_mark":true}]},'
  + '{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"ToolSearch","input":{"query":"select:mcp__ledger__read"}}]},'
  + '{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"tool_reference","tool_name":"mcp__ledger__read"}]}]}]';
const bodyFor = (model: string, stream: boolean, listed = tools): string => `${opening} "model": "${model}", ${listed}, ${history}, "stream": ${String(stream)} }`;

const head = '{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-6","content":';
const plain = `${head}[{"type":"text","text":"entry 7"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":3},"safeguard_results":[{"name":"bash","verdict":"allow","score":1.0}]}`;
const frames = [
  `event: message_start\ndata: {"type":"message_start","message":${head}[],"stop_reason":null,"usage":{"input_tokens":9,"output_tokens":1}}}\n\n`,
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"entry 7"}}\n\n',
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3},"safeguard_results":[{"name":"bash","verdict":"allow","score":1.0}]}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
].join('');

describe('what Claude Code sends for tool search and its safeguards', () => {
  const got: { body: string; headers: IncomingHttpHeaders }[] = [];
  const others = {} as Record<ProtocolName, RefusingProvider>;
  let anthropic: Server;
  let router: TestRouter;

  before(async () => {
    anthropic = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const body = Buffer.concat(pieces).toString('utf8');
        if (request.method !== 'POST') {
          response.writeHead(404).end();
          return;
        }
        got.push({ body, headers: request.headers });
        const stream = body.includes('"stream": true');
        response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' }).end(stream ? frames : plain);
      });
    });
    await new Promise<void>(resolve => anthropic.listen(0, '127.0.0.1', resolve));
    for (const protocol of protocolNames) others[protocol] = await startRefusingProvider(protocol);
    const endpoint = (protocol: ProtocolName, baseUrl: string): EndpointSettings => ({
      provider: protocol === 'gemini' ? 'gemini' : protocol === 'anthropic-messages' ? 'anthropic' : 'openai', protocol, baseUrl, keys: ['${KEY}'], probe: { enabled: false },
      models: { 'claude-sonnet-4-6': {}, 'm': {} },
    });
    router = await startTestRouter({
      environment: { KEY: 'key-of-a-simulated-provider' },
      endpoints: {
        own: endpoint('anthropic-messages', `http://127.0.0.1:${String((anthropic.address() as AddressInfo).port)}`),
        ...Object.fromEntries(protocolNames.map(protocol => [protocol, endpoint(protocol, others[protocol].url)])),
      },
    });
  });
  after(async () => {
    await router.close();
    anthropic.closeAllConnections();
    anthropic.close();
    for (const provider of Object.values(others)) await provider.close();
  });
  beforeEach(() => {
    got.length = 0;
    for (const provider of Object.values(others)) {
      provider.got.length = 0;
      provider.refuse = () => undefined;
    }
  });

  const ask = (body: string): Promise<RawAnswer> => rawRequest({
    url: `${router.url}/v1/messages?beta=true`, body,
    headers: {
      'authorization': `Bearer ${router.token}`, 'anthropic-version': '2023-06-01', 'anthropic-beta': 'advanced-tool-use-2025-11-20,never-seen-2027-01-01', 'anthropic-new-header': 'v1',
      'x-claude-code-request-class': 'main',
    },
  });

  for (const stream of [true, false]) {
    test(`reaches a target of the same protocol byte for byte, and so does the answer its caller: ${stream ? 'streamed' : 'plain'}`, async () => {
      const answer = await ask(bodyFor('own/claude-sonnet-4-6', stream));
      assert.equal(answer.status, 200);
      assert.equal(answer.text, stream ? frames : plain);
      assert.equal(got[0]?.body, bodyFor('claude-sonnet-4-6', stream));
      const { headers } = got[0];
      assert.equal(headers['anthropic-beta'], 'advanced-tool-use-2025-11-20,never-seen-2027-01-01');
      assert.equal(headers['anthropic-new-header'], 'v1');
      assert.equal(headers['x-claude-code-request-class'], undefined, 'hints are for the gateway');
    });

    for (const protocol of protocolNames.filter(name => name !== 'anthropic-messages')) {
      test(`is expanded for a target that speaks ${protocol}: ${stream ? 'streamed' : 'plain'}`, async () => {
        const answer = await ask(bodyFor(`${protocol}/m`, stream));
        assert.equal(answer.status, 200, answer.text);
        const sent = others[protocol].got[0];
        assert.ok(sent !== undefined);
        const text = JSON.stringify(sent.body);
        for (const word of ['tool_reference', 'defer_loading', 'safeguards', 'new_field_of_2027', 'DeferredToolPlaceholder', 'mcp__mail__send']) assert.ok(!text.includes(word), word);
        assert.deepEqual(toolNames(sent.body), ['ToolSearch', 'mcp__ledger__read']);
        assert.match(text, /The tool \\*"mcp__ledger__read\\*" is loaded and can be called now\./);
        assert.ok(Object.keys(sent.headers).every(name => !name.startsWith('anthropic-')));
      });
    }
  }

  test("offers every tool where only Anthropic's own search could have found them", async () => {
    const hosted = tools.replace('{"name":"ToolSearch","description":"finds tools","input_schema":{"type":"object","properties":{"query":{"type":"string"}}}}', '{"type":"tool_search_tool_regex_20251119","name":"tool_search_tool_regex"}');
    await ask(bodyFor('openai-chat/m', false, hosted));
    assert.deepEqual(toolNames(others['openai-chat'].got[0]?.body ?? {}), ['mcp__ledger__read', 'mcp__mail__send', 'DeferredToolPlaceholder']);
  });

  test('is sent in words, once and from then on, to a target of the same protocol that refuses references', async () => {
    const provider = others['anthropic-messages'];
    provider.refuse = ({ body }) => (JSON.stringify(body).includes('tool_reference') ? {
      status: 400, body: {
        type: 'error', error: {
          type: 'invalid_request_error',
          message: "messages.2.content.0.tool_result.content.0: Input tag 'tool_reference' found using 'type' does not match any of the expected tags: 'document', 'image', 'search_result', 'text'",
        },
      },
    } : undefined);
    for (let turn = 0; turn < 2; turn++) {
      const answer = await ask(bodyFor('anthropic-messages/m', true));
      assert.equal(answer.status, 200, answer.text);
    }
    assert.equal(provider.got.length, 3);
    for (const { body } of provider.got.slice(1)) assert.ok(!/tool_reference|defer_loading/.test(JSON.stringify(body)));
  });
});

function toolNames({ tools: listed }: JsonObject): string[] {
  const names: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      const { name, function: inner, functionDeclarations } = value as { name?: unknown; function?: unknown; functionDeclarations?: unknown };
      if (typeof name === 'string') names.push(name);
      visit(inner);
      visit(functionDeclarations);
    }
  };
  visit(parseJson(JSON.stringify(listed ?? [])));
  return names;
}
