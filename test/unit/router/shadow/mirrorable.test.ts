import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SecretRegister } from '../../../../server/base/secrets/redact.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import type { ConversationRequest, ProtocolName } from '../../../../server/api/conversation.ts';
import { isObject, parseJson } from '../../../../server/base/json.ts';
import { conversationBody, encodedConversation, type ExchangeInput } from '../../../../server/exchange/request.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';
import { refusedAtOnce, refusedByContent } from '../../../../server/router/shadow/mirrorable.ts';
import type { ShadowConfig } from '../../../../server/config/config.ts';

const rules = { exceptWorkspaces: new Set(['shop']), maxBodyBytes: 256 * 1024 } as unknown as ShadowConfig;
const register = new SecretRegister();
register.replace(['the-password-of-everything']);

/** A request over HTTP. */
function over(protocol: ProtocolName, body: object, more: Partial<ExchangeInput> = {}): ExchangeInput {
  const bytes = Buffer.from(JSON.stringify(body));
  const scan = scanObject(bytes);
  assert.ok(scan !== undefined);
  const decode = (): ConversationRequest => {
    const value = parseJson(bytes.toString('utf8'));
    assert.ok(isObject(value));
    const decoded = codecFor(protocol)?.decodeRequest(value);
    assert.ok(decoded !== undefined);
    return decoded;
  };
  return { protocol, caller: { tool: 'http' }, headers: {}, body: encodedConversation({ bytes, scan, protocolHeaders: {}, includeUsage: false }, false, decode), ...more } as ExchangeInput;
}

async function refused(input: ExchangeInput): Promise<string | undefined> {
  return refusedAtOnce(input, rules) ?? refusedByContent(input, rules, register);
}

const user = (text: string): object => ({ role: 'user', content: text });
const chat = (text: string, more: object = {}): object => ({ model: 'm', messages: [user(text)], ...more });

describe('what is never mirrored', () => {
  it('is a request that is marked, or whose workspace takes no part', async () => {
    assert.equal(await refused(over('openai-chat', chat('hello'), { headers: { 'x-waybill-no-shadow': '' } })), 'header');
    assert.equal(await refused(over('openai-chat', chat('hello'), { caller: { tool: 'http', workspace: 'Shop' } })), 'workspace');
    assert.equal(await refused(over('openai-chat', chat('hello'), { caller: { tool: 'http', workspace: 'other' } })), undefined);
  });

  it('is a key, known or in a known shape, wherever it stands in a long request, in bytes and from the editor', async () => {
    const key = `sk-ant-api03-${'aB3dE5gH7j'.repeat(9)}`;
    for (const secret of [key, 'the-password-of-everything']) {
      for (const before of [0, 32 * 1024 - 40, 36 * 1024 - 20, 100_000]) {
        const text = `${'words of no weight '.repeat(7000).slice(0, before)} ${secret} ${'more words '.repeat(500)}`;
        assert.equal(await refused(over('openai-chat', chat(text))), 'secret', `${secret} at ${String(before)}`);
        const conversation: ConversationRequest = { system: [], messages: [{ role: 'user', content: [{ type: 'text', text }] }], tools: [] };
        assert.equal(await refused({ caller: { tool: 'vscode-chat' }, body: conversationBody(conversation) } as ExchangeInput), 'secret');
      }
    }
    assert.equal(await refused(over('openai-chat', chat('words of no weight '.repeat(7000)))), undefined);
  });

  it('is a tool that a provider runs, in each protocol', async () => {
    const asked: [ProtocolName, object][] = [
      ['openai-responses', { model: 'm', input: 'hello', tools: [{ type: 'mcp', server_label: 'x', server_url: 'https://example.com' }] }],
      ['openai-responses', { model: 'm', input: 'hello', tools: [{ type: 'web_search' }] }],
      ['openai-chat', chat('hello', { web_search_options: {} })],
      ['openai-chat', chat('hello', { plugins: [{ id: 'web' }] })],
      ['anthropic-messages', chat('hello', { max_tokens: 5, tools: [{ type: 'web_search_20250305', name: 'web_search' }] })],
      ['anthropic-messages', chat('hello', { max_tokens: 5, mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'x' }] })],
      ['gemini', { contents: [{ role: 'user', parts: [{ text: 'hello' }] }], tools: [{ googleSearch: {} }] }],
    ];
    for (const [protocol, body] of asked) assert.equal(await refused(over(protocol, body)), 'provider-tools', JSON.stringify(body));
  });

  it('is what leans on one provider, is no conversation, is too large, or cannot be read', async () => {
    assert.equal(await refused(over('openai-responses', { model: 'm', input: 'hello', previous_response_id: 'resp_1' })), 'provider-state');
    assert.equal(await refused(over('openai-responses', { model: 'm', input: 'hello', conversation: 'conv_1' })), 'provider-state');
    assert.equal(await refused({ ...over('openai-chat', chat('')), body: { kind: 'embedding', request: { model: 'm', input: ['x'] } } as unknown as ExchangeInput['body'] }), 'other-operation');
    assert.equal(await refused(over('openai-chat', chat('long '.repeat(60_000)))), 'too-large');
    assert.equal(await refused(over('openai-chat', { model: 'm', messages: 'none' })), 'unreadable');
  });

  it('is nothing else: own tools are described and stay', async () => {
    assert.equal(await refused(over('openai-chat', chat('hello', { tools: [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }] }))), undefined);
    assert.equal(await refused(over('anthropic-messages', chat('hello', { max_tokens: 5, tools: [{ name: 'read', input_schema: { type: 'object' } }] }))), undefined);
  });
});
