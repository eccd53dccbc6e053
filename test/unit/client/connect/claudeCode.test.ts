import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ToolConnector } from '../../../../client/connect/toolConnector.ts';
import type { ConnectedModel, Connection } from '../../../../client/connect/tool.ts';

const token = 'waybill-0123456789abcdef0123456789abcdef';
const claude: ConnectedModel = { requestedModel: 'work', targets: ['claude/claude-opus-5'], lasting: { contextWindow: 200_000, maxInputTokens: 136_000, maxOutputTokens: 64_000, thinking: true } };
const gpt: ConnectedModel = { requestedModel: 'other', targets: ['openai/gpt-5.1'], lasting: { contextWindow: 400_000, maxInputTokens: 272_000, maxOutputTokens: 128_000, thinking: true } };
const local: ConnectedModel = { requestedModel: 'haiku', targets: ['ollama/llama3.2'], lasting: { contextWindow: 32_768, maxInputTokens: 24_576, maxOutputTokens: 8192, thinking: false } };
const unknownLocal: ConnectedModel = { requestedModel: 'mine', targets: ['lan/x'], lasting: { maxInputTokens: 119_808 } };

let root: string;
let home: string;
let connector: ToolConnector;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'waybill-claude-'));
  home = path.join(root, 'home');
  mkdirSync(path.join(home, '.claude'), { recursive: true });
  connector = new ToolConnector({ home, environment: {} }, path.join(root, 'storage'));
});
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

const file = (): string => path.join(home, '.claude', 'settings.json');
const text = (): string => readFileSync(file(), 'utf8');
const env = (): Record<string, string | undefined> => (JSON.parse(text().replaceAll(/^ *\/\/.*$/gm, '')) as { env: Record<string, string> }).env;

async function connect(model: ConnectedModel, roles?: Connection['roles']): Promise<void> {
  const wanted = { url: 'http://127.0.0.1:7717', model, at: 1, ...(roles === undefined ? {} : { roles }) };
  await connector.connect('claude-code', { ...wanted, token }, await connector.previewConnect('claude-code', wanted));
}

const offered = (...models: ConnectedModel[]) => (name: string): ConnectedModel => models.find(one => one.requestedModel === name) ?? { requestedModel: name };

describe('connecting Claude Code', () => {
  it('turns on what it leaves off at an address that is not its own: tool search, and the kind of each request', async () => {
    await connect(claude);
    assert.equal(env().ENABLE_TOOL_SEARCH, 'true');
    assert.equal(env().CLAUDE_CODE_GATEWAY_HINT_HEADERS, '1');
  });

  it('says the whole window of a Claude model, and the limit of its answers', async () => {
    await connect(claude);
    assert.equal(env().CLAUDE_CODE_MAX_CONTEXT_TOKENS, '200000');
    assert.equal(env().CLAUDE_CODE_MAX_OUTPUT_TOKENS, '64000');
    assert.equal(env().CLAUDE_CODE_DISABLE_THINKING, undefined);
    assert.equal(env().CLAUDE_CODE_MODEL_CAPABILITIES, undefined);
  });

  it('leaves the room for an answer that another provider takes off its window', async () => {
    await connect(gpt);
    assert.equal(env().CLAUDE_CODE_MAX_CONTEXT_TOKENS, '292000');
    assert.equal(env().CLAUDE_CODE_MAX_OUTPUT_TOKENS, '128000');
  });

  it('says that a model cannot think only where that is known', async () => {
    await connect(local);
    assert.equal(env().CLAUDE_CODE_MAX_CONTEXT_TOKENS, '32768');
    assert.equal(env().CLAUDE_CODE_DISABLE_THINKING, '1');
    assert.equal(env().CLAUDE_CODE_MODEL_CAPABILITIES, 'haiku=-effort,-adaptive_thinking');
    await connect(unknownLocal);
    assert.equal(env().CLAUDE_CODE_MAX_CONTEXT_TOKENS, '119808');
    assert.deepEqual([env().CLAUDE_CODE_DISABLE_THINKING, env().CLAUDE_CODE_MODEL_CAPABILITIES, env().CLAUDE_CODE_MAX_OUTPUT_TOKENS], [undefined, undefined, undefined]);
  });

  it('leaves its own idea of the window for a name that Waybill does not know', async () => {
    await connect({ requestedModel: 'typed/name' });
    assert.ok(Object.keys(env()).every(name => !name.includes('TOKENS')));
    assert.equal(env().ENABLE_TOOL_SEARCH, 'true');
  });

  it('gives Opus, Sonnet, Haiku and subagents routes of their own, and the least window of what conversations run on', async () => {
    await connect(claude, { opus: gpt, haiku: local, subagents: { ...unknownLocal, requestedModel: 'sub' } });
    assert.deepEqual([env().ANTHROPIC_MODEL, env().ANTHROPIC_DEFAULT_OPUS_MODEL, env().ANTHROPIC_DEFAULT_SONNET_MODEL, env().ANTHROPIC_DEFAULT_HAIKU_MODEL], ['work', 'other', 'work', 'waybill/haiku']);
    assert.deepEqual([env().CLAUDE_CODE_SUBAGENT_MODEL, env().CLAUDE_CODE_SUBAGENT_MODEL_FORCE], ['sub', '1']);
    // Errands on the small local model do not shrink the conversation.
    assert.equal(env().CLAUDE_CODE_MAX_CONTEXT_TOKENS, '119808');
    assert.equal(env().CLAUDE_CODE_MAX_OUTPUT_TOKENS, '59904');
  });

  it('writes a route whose name Claude Code takes for a choice of its own so that it reaches the route', async () => {
    const best = { ...claude, requestedModel: 'best' };
    await connect(best);
    assert.equal(env().ANTHROPIC_MODEL, 'best', 'all families lead to it');
    await connect(best, { opus: gpt });
    assert.equal(env().ANTHROPIC_MODEL, 'waybill/best');
  });
});

describe('a connection whose route changes', () => {
  it('is told the new window and nothing else, and still gives every byte back', async () => {
    const before = '{\n  // mine\n  "env": { "FOO": "1" },\n  "theme": "dark"\n}\n';
    writeFileSync(file(), before);
    await connect(claude);
    const written = text();
    assert.deepEqual(await connector.refresh('claude-code', offered(claude)), [], 'nothing has changed');
    const now = offered({ ...gpt, requestedModel: 'work' });
    assert.deepEqual(await connector.refresh('claude-code', now, {}, false), [file()]);
    assert.equal(text(), written, 'it was only asked');
    assert.deepEqual(await connector.refresh('claude-code', now), [file()]);
    assert.equal(text(), written.replace('"200000"', '"292000"').replace('"64000"', '"128000"'));
    await connector.refresh('claude-code', offered({ ...local, requestedModel: 'work' }));
    assert.equal(env().CLAUDE_CODE_DISABLE_THINKING, '1');
    await connector.refresh('claude-code', offered(claude));
    assert.equal(text(), written, 'what no longer holds is taken out');
    await connector.disconnect('claude-code');
    assert.equal(text(), before);
  });

  it('leaves a value that the user has set, and one that the user has taken out', async () => {
    await connect(claude);
    writeFileSync(file(), text().replace('"CLAUDE_CODE_MAX_CONTEXT_TOKENS": "200000"', '"CLAUDE_CODE_MAX_CONTEXT_TOKENS": "90000"').replace(/,\s*"CLAUDE_CODE_MAX_OUTPUT_TOKENS": "64000"/, ''));
    await connector.refresh('claude-code', offered({ ...gpt, requestedModel: 'work' }));
    assert.deepEqual([env().CLAUDE_CODE_MAX_CONTEXT_TOKENS, env().CLAUDE_CODE_MAX_OUTPUT_TOKENS], ['90000', undefined]);
    await connector.disconnect('claude-code');
    assert.deepEqual(JSON.parse(text()), { env: { CLAUDE_CODE_MAX_CONTEXT_TOKENS: '90000' } });
  });

  it('keeps what the user has written beside it in between', async () => {
    await connect(claude);
    writeFileSync(file(), text().replace('{\n  "env"', '{\n  // later\n  "theme": "dark",\n  "env"'));
    await connector.refresh('claude-code', offered({ ...gpt, requestedModel: 'work' }));
    assert.equal(env().CLAUDE_CODE_MAX_CONTEXT_TOKENS, '292000');
    assert.match(text(), /\/\/ later\n {2}"theme": "dark"/);
    await connector.disconnect('claude-code');
    assert.match(text(), /\/\/ later\n {2}"theme": "dark"/);
    assert.ok(!text().includes('env'));
  });

  it('is given the routes that the settings name for single kinds of work, and loses them with the setting', async () => {
    await connect(claude, { opus: gpt });
    const written = text();
    const names = offered(claude, gpt, local);
    assert.deepEqual(await connector.refresh('claude-code', names, { haiku: 'haiku', subagents: 'other' }), [file()]);
    assert.deepEqual([env().ANTHROPIC_DEFAULT_OPUS_MODEL, env().ANTHROPIC_DEFAULT_HAIKU_MODEL, env().CLAUDE_CODE_SUBAGENT_MODEL], ['other', 'waybill/haiku', 'other']);
    await connector.refresh('claude-code', names, { opus: 'work' });
    assert.deepEqual([env().ANTHROPIC_DEFAULT_OPUS_MODEL, env().ANTHROPIC_DEFAULT_HAIKU_MODEL, env().CLAUDE_CODE_SUBAGENT_MODEL], ['work', 'work', undefined]);
    await connector.refresh('claude-code', names, {});
    assert.equal(text(), written);
    await connector.disconnect('claude-code');
    assert.ok(!existsSync(file()));
  });

  it('stays as it is while its route is not there', async () => {
    await connect(claude);
    const written = text();
    assert.deepEqual(await connector.refresh('claude-code', offered()), []);
    assert.equal(text(), written);
  });

  for (const [tool, name, from, to] of [
    ['codex', '.codex/config.toml', 'model_context_window = 136000', 'model_context_window = 272000'],
    ['opencode', '.config/opencode/opencode.json', '"context": 136000', '"context": 272000'],
    ['continue', '.continue/config.yaml', 'contextLength: 136000', 'contextLength: 272000'],
  ] as const) {
    it(`is told the new window in ${tool} too`, async () => {
      const wanted = { url: 'http://127.0.0.1:7717', model: claude, at: 1 };
      await connector.connect(tool, { ...wanted, token }, await connector.previewConnect(tool, wanted));
      const read = (): string => readFileSync(path.join(home, name), 'utf8');
      assert.ok(read().includes(from), read());
      assert.deepEqual(await connector.refresh(tool, offered({ ...gpt, requestedModel: 'work' })), [path.join(home, name)]);
      assert.ok(read().includes(to), read());
      assert.ok(read().includes(token));
      assert.deepEqual(await connector.refresh(tool, offered({ ...gpt, requestedModel: 'work' })), []);
      await connector.disconnect(tool);
      assert.ok((await connector.states()).every(one => !one.connected));
    });
  }
});
