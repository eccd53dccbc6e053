import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ToolConnector } from '../../../../client/connect/toolConnector.ts';
import type { ConnectedModel } from '../../../../client/connect/tool.ts';

const repository = path.join(import.meta.dirname, '..', '..', '..', '..');
const model: ConnectedModel = {
  requestedModel: 'auto', targets: ['north/m'], toolCalling: true, imageInput: true,
  lasting: { contextWindow: 200_000, maxInputTokens: 168_000, maxOutputTokens: 24_000, thinking: true },
};

describe('what a tool is told that it would know at its own vendor', () => {
  let home: string;
  let connector: ToolConnector;
  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'waybill-foreign-'));
    connector = new ToolConnector({ home, environment: {} }, path.join(home, 'records'));
  });
  afterEach(() => { rmSync(home, { recursive: true, force: true }); });

  async function written(tool: string, file: string, to = model): Promise<string> {
    const wanted = { url: 'http://127.0.0.1:7717', model: to, at: 1 };
    await connector.connect(tool, { ...wanted, token: 'waybill-0123456789abcdef' }, await connector.previewConnect(tool, wanted));
    return readFileSync(path.join(home, file), 'utf8');
  }

  it('codex: its window', async () => { assert.match(await written('codex', '.codex/config.toml'), /^model_context_window = 168000$/m); });

  it('gemini-cli: when a conversation is shortened', async () => {
    // 70 % of 168,000 tokens, of the 1,048,576 that it counts with.
    assert.match(await written('gemini-cli', '.gemini/settings.json'), /"compressionThreshold": 0\.112\b/);
  });

  it('gemini-cli: its own threshold stays where the window is as large as it assumes', async () => {
    assert.doesNotMatch(await written('gemini-cli', '.gemini/settings.json', { ...model, lasting: { maxInputTokens: 983_040 } }), /compressionThreshold/);
  });

  it('opencode: what the model can do', async () => {
    const { provider } = JSON.parse(await written('opencode', '.config/opencode/opencode.json')) as { provider: { waybill: { models: { auto: unknown } } } };
    assert.deepEqual(provider.waybill.models.auto, { name: 'auto', limit: { context: 168_000, output: 24_000 }, tool_call: true, attachment: true, reasoning: true });
  });

  it('continue: its window and tools', async () => {
    const text = await written('continue', '.continue/config.yaml');
    assert.match(text, /contextLength: 168000/);
    assert.match(text, /capabilities:\n {6}- tool_use\n {6}- image_input/);
  });

  it('cline: its window and its longest answer', async () => {
    assert.match(await written('cline', '.cline/data/settings/providers.json'), /"contextWindow": 168000,\s*"maxTokens": 24000/);
  });

  it('aider: its window', async () => {
    await written('aider', '.aider.conf.yml');
    assert.deepEqual(JSON.parse(readFileSync(path.join(home, '.aider.model.metadata.json'), 'utf8')), { 'openai/auto': { max_input_tokens: 168_000, max_output_tokens: 24_000, litellm_provider: 'openai', mode: 'chat' } });
    await connector.disconnect('aider');
    assert.ok(!existsSync(path.join(home, '.aider.model.metadata.json')));
  });

  it('aider: its edit format is left to the user', async () => { assert.doesNotMatch(await written('aider', '.aider.conf.yml'), /edit-format/); });
});

describe('docs/tools.md', () => {
  const text = readFileSync(path.join(repository, 'docs', 'tools.md'), 'utf8');

  it('names a test in each line of its table of tools, and each test that it names is there', () => {
    const lines = text.split('\n').filter(line => /^\| (?:Claude Code|Codex|Gemini CLI|OpenCode|Continue|Cline|aider) /.test(line));
    assert.ok(new Set(lines.map(line => line.split('|')[1])).size === 7);
    for (const line of lines) assert.match(line, /`(?:agents|unit|integration)\/[\w/.]+\.test\.ts` "/, line);
    for (const [, file = '', title = ''] of text.matchAll(/`((?:agents|unit|integration)\/[\w/.]+\.test\.ts)` "([^"]+)"/g)) {
      const source = readFileSync(path.join(repository, 'test', file), 'utf8').replaceAll("\\'", "'");
      // A title that is made of a table's values is named in one of its forms.
      const [head = title] = title.split(/(?: openai-chat)?: (?:streamed|plain)$/);
      assert.ok(source.includes(head), `${file}: ${title}`);
    }
  });
});
