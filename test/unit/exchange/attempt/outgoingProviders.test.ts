import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../../server/api/conversation.ts';
import { isObject, parseJson, type JsonObject } from '../../../../server/base/json.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import * as catalog from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { chooseProtocol, protocolsOf } from '../../../../server/routing/chooseProtocol.ts';
import { encodedConversation, type ExchangeInput, type RawBody } from '../../../../server/exchange/request.ts';
import { buildOutgoing, spokenBy, type Outgoing } from '../../../../server/exchange/attempt/outgoing.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';

const key = { id: '1', label: 'work', secret: 'secret-key' };

function input(protocol: ProtocolName | 'editor', body: JsonObject | ConversationRequest, changes: Partial<ExchangeInput> & Pick<Partial<RawBody>, 'protocolHeaders'> = {}): ExchangeInput {
  const { protocolHeaders = {}, ...others } = changes;
  const bytes = Buffer.from(JSON.stringify(body));
  const conversation = (): ConversationRequest => (protocol === 'editor' ? body as ConversationRequest : (codecFor(protocol) ?? assert.fail()).decodeRequest(body as JsonObject));
  return {
    id: 'x', inbound: protocol === 'editor' ? 'lsp' : 'http', protocol, requestedModel: 'm', stream: true, caller: { tool: 'test' },
    requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 5000 },
    body: encodedConversation(protocol === 'editor' ? undefined : { bytes, scan: scanObject(bytes) ?? assert.fail(), protocolHeaders, includeUsage: true }, false, conversation),
    patienceMs: 0, ...others,
  };
}

interface Sent { url: string; headers: Record<string, string>; body: JsonObject; outgoing: Outgoing }

function send(settings: Record<string, unknown>, model: string, request: ExchangeInput): Sent {
  const { config, problems } = resolveConfig({ endpoints: { it: settings }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' });
  assert.deepEqual(problems, []);
  const endpoint = chooseProtocol(protocolsOf(config.endpoints.get('it') ?? assert.fail(), model), { tools: request.requirements.tools, ...spokenBy(request) });
  const outgoing = buildOutgoing({
    input: request, target: { target: `it/${model}`, endpoint: 'it', model, upstreamModel: model }, endpoint, codec: codecFor(endpoint.protocol) ?? assert.fail(), key,
    maxOutputTokens: undefined, stripReasoning: false,
  });
  const body = parseJson(Buffer.concat([...outgoing.request.body ?? []]).toString('utf8'));
  assert.ok(isObject(body));
  assert.equal(outgoing.request.headers['content-length'], String(Buffer.concat([...outgoing.request.body ?? []]).length));
  return { url: outgoing.request.url, headers: outgoing.request.headers, body, outgoing };
}

const long = 'word '.repeat(2000);
const chat = { model: 'm', stream: true, messages: [{ role: 'system', content: 'Rules.' }, { role: 'user', content: long }], temperature: 0.3 };
const messages = { model: 'm', max_tokens: 100, stream: true, system: 'Rules.', messages: [{ role: 'user', content: long }], temperature: 0.3 };
const contents = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] };
const withTools = { ...chat, tools: [{ type: 'function', function: { name: 'read', parameters: { type: 'object', properties: {} } } }] };

describe('a request goes out', () => {
  test("to Google's own protocol with its own header, and with the caller's bytes untouched", () => {
    const { url, headers, body, outgoing } = send({ provider: 'gemini' }, 'gemini-3.8-flash', input('gemini', contents));
    assert.equal(url, 'https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse');
    assert.equal(headers['x-goog-api-key'], 'secret-key');
    assert.deepEqual(body, contents);
    assert.equal(outgoing.passThrough, true);
  });

  test("to Google's OpenAI-compatible address with its header", () => {
    const { url, headers } = send({ provider: 'gemini', protocol: 'openai-chat' }, 'gemini-3.8-flash', input('openai-chat', chat));
    assert.equal(url, 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions');
    assert.equal(headers.authorization, 'Bearer secret-key');
  });

  test('to Claude on Vertex AI with the version in the body and the model in the path, otherwise unchanged', () => {
    const caller = input('anthropic-messages', messages, { protocolHeaders: { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'context-1' } });
    const { url, headers, body, outgoing } = send({ provider: 'vertex', project: 'p-1' }, 'claude-sonnet-4-5', caller);
    assert.match(url, /^https:\/\/aiplatform\.googleapis\.com\/v1\/publishers\/anthropic\/models\/claude-sonnet-4-5:streamRawPredict$/);
    assert.deepEqual([body.model, body.anthropic_version, body.temperature], [undefined, '2026-10-21', 0.3]);
    assert.deepEqual([headers['anthropic-version'], headers['anthropic-beta']], [undefined, 'context-1']);
    assert.equal(outgoing.passThrough, true);
  });

  test('to Claude on Vertex AI without what the generation of the model refuses', () => {
    const { body, outgoing } = send({ provider: 'vertex', project: 'p-1' }, 'claude-sonnet-5-5', input('anthropic-messages', messages));
    assert.equal(body.temperature, undefined);
    assert.match(outgoing.changes.join(), /temperature/);
  });

  test('to Claude on Vertex AI from a caller of another protocol', () => {
    const { body, headers } = send({ provider: 'vertex', project: 'p-1' }, 'claude-haiku-4-5', input('openai-chat', chat));
    assert.deepEqual([body.model, body.anthropic_version, body.temperature], [undefined, 'vertex-2023-10-16', 0.3]);
    assert.equal(headers['anthropic-version'], undefined);
    const newer = send({ provider: 'vertex', project: 'p-1', anthropicVersion: '2026-10-21' }, 'claude-haiku-4-5', input('openai-chat', chat));
    assert.deepEqual([newer.body.anthropic_version, newer.body.temperature], ['2026-10-21', undefined]);
  });

  test('to Azure OpenAI with its header and the name of the deployment', () => {
    const { url, headers, body } = send({ provider: 'azure', baseUrl: 'https://r.openai.azure.com' }, 'team-gpt', input('openai-chat', chat));
    assert.equal(url, 'https://r.openai.azure.com/openai/v1/chat/completions');
    assert.deepEqual([headers['api-key'], headers.authorization, body.model], ['secret-key', undefined, 'team-gpt']);
  });

  test('to OpenAI unchanged while the model accepts Chat, and through Responses where it refuses tools there', () => {
    const requirements = { ...input('openai-chat', chat).requirements, tools: true };
    const fine = send({ provider: 'openai' }, 'gpt-4.1', input('openai-chat', withTools, { requirements }));
    assert.deepEqual([fine.url, fine.outgoing.passThrough], ['https://api.openai.com/v1/chat/completions', true]);
    const refusing = send({ provider: 'openai' }, 'gpt-6.1-sol', input('openai-chat', withTools, { requirements }));
    assert.deepEqual([refusing.url, refusing.outgoing.passThrough], ['https://api.openai.com/v1/responses', false]);
    assert.deepEqual([refusing.body.model, refusing.body.store], ['gpt-6.1-sol', false]);
    const off = send({ provider: 'openai' }, 'gpt-6-sol', input('openai-chat', { ...withTools, reasoning_effort: 'none' }, { requirements }));
    assert.deepEqual([off.url, off.outgoing.passThrough], ['https://api.openai.com/v1/chat/completions', true]);
  });

  test("to HolySheep's second address for Claude Code, and to its first for others", () => {
    assert.equal(send({ provider: 'holysheep' }, 'claude-sonnet-4.6', input('anthropic-messages', messages)).url, 'https://api.holysheep.ai/v1/messages');
    assert.equal(send({ provider: 'holysheep' }, 'claude-sonnet-4.6', input('openai-chat', chat)).url, 'https://api.holysheep.ai/v1/chat/completions');
  });

  test('to Anthropic with cache breakpoints for callers that cannot place them, and without for callers that can', () => {
    const marked = (sent: Sent): number => JSON.stringify(sent.body).split('"cache_control"').length - 1;
    assert.equal(marked(send({ provider: 'anthropic' }, 'claude-sonnet-5-5', input('openai-chat', chat))), 2);
    const editor: ConversationRequest = { system: [{ type: 'text', text: 'Rules.' }], tools: [], messages: [{ role: 'user', content: [{ type: 'text', text: long }] }] };
    assert.equal(marked(send({ provider: 'anthropic' }, 'claude-sonnet-5-5', input('editor', editor))), 2);
    assert.equal(marked(send({ provider: 'anthropic' }, 'claude-sonnet-5-5', input('anthropic-messages', messages))), 0);
    assert.equal(JSON.stringify(send({ provider: 'deepseek' }, 'deepseek-flash', input('editor', editor)).body).includes('cache_control'), false);
  });

  test("to Anthropic with the version that the user configured, unless the caller names one", () => {
    const version = (request: ExchangeInput): unknown => send({ provider: 'anthropic', anthropicVersion: '2026-10-21' }, 'claude-haiku-4-5', request).headers['anthropic-version'];
    assert.equal(version(input('openai-chat', chat)), '2026-10-21');
    assert.equal(version(input('anthropic-messages', messages, { protocolHeaders: { 'anthropic-version': '2023-06-01' } })), '2023-06-01');
  });
});
