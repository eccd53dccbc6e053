import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ToolConnector } from '../../../../client/connect/toolConnector.ts';
import type { Connection } from '../../../../client/connect/tool.ts';

const token = 'waybill-0123456789abcdef0123456789abcdef';
const connection: Connection = { url: 'http://127.0.0.1:7717', token, model: { requestedModel: 'best', maxInputTokens: 200_000, maxOutputTokens: 32_000, toolCalling: true, imageInput: true }, at: Date.UTC(2026, 10, 20) };
const other: Connection = { ...connection, model: { ...connection.model, requestedModel: 'cheap' } };

let root: string;
let home: string;
let connector: ToolConnector;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'waybill-connect-'));
  home = path.join(root, 'home');
  mkdirSync(home);
  connector = new ToolConnector({ home, environment: {} }, path.join(root, 'storage'));
});
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

async function connect(tool: string, to = connection): Promise<void> {
  const { token: _token, ...shown } = to;
  await connector.connect(tool, to, await connector.previewConnect(tool, shown));
}

function write(file: string, text: string): string {
  const whole = path.join(home, file);
  mkdirSync(path.dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}

const read = (file: string): string => readFileSync(path.join(home, file), 'utf8');

interface Case { tool: string; says: string; file: string; before: string | undefined; after: string; edit?: [string, string]; edited?: string; also?: Record<string, string> }

const cases: Case[] = [
  {
    tool: 'claude-code', says: 'settings with comments', file: '.claude/settings.json',
    before: '{\n  // mine\n  "env": {\n    "ANTHROPIC_MODEL": "opus"\n  },\n  "model": "opus"\n}\n',
    after: `{\n  // mine\n  "env": {\n    "ANTHROPIC_MODEL": "best",\n    "ANTHROPIC_BASE_URL": "http://127.0.0.1:7717",\n    "ANTHROPIC_AUTH_TOKEN": "${token}",\n    "ANTHROPIC_DEFAULT_OPUS_MODEL": "best",\n    "ANTHROPIC_DEFAULT_SONNET_MODEL": "best",\n    "ANTHROPIC_DEFAULT_HAIKU_MODEL": "best",\n    "ANTHROPIC_DEFAULT_FABLE_MODEL": "best",\n    "ENABLE_TOOL_SEARCH": "true",\n    "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",\n    "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "200000",\n    "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "32000"\n  },\n  "model": "opus"\n}\n`,
    edit: ['"model": "opus"', '"model": "opus",\n  "theme": "dark"'],
    edited: '{\n  // mine\n  "env": {\n    "ANTHROPIC_MODEL": "opus"\n  },\n  "model": "opus",\n  "theme": "dark"\n}\n',
  },
  {
    tool: 'claude-code', says: 'no settings', file: '.claude/settings.json', before: undefined,
    after: `{\n  "env": {\n    "ANTHROPIC_BASE_URL": "http://127.0.0.1:7717",\n    "ANTHROPIC_AUTH_TOKEN": "${token}",\n    "ANTHROPIC_MODEL": "best",\n    "ANTHROPIC_DEFAULT_OPUS_MODEL": "best",\n    "ANTHROPIC_DEFAULT_SONNET_MODEL": "best",\n    "ANTHROPIC_DEFAULT_HAIKU_MODEL": "best",\n    "ANTHROPIC_DEFAULT_FABLE_MODEL": "best",\n    "ENABLE_TOOL_SEARCH": "true",\n    "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",\n    "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "200000",\n    "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "32000"\n  }\n}\n`,
    edit: ['{\n  "env"', '{\n  "theme": "dark",\n  "env"'], edited: '{\n  "theme": "dark"\n}\n',
  },
  {
    tool: 'codex', says: 'a configuration with tables', file: '.codex/config.toml',
    before: '# mine\nmodel = "gpt-5.4" # the good one\n\n[mcp_servers.a]\ncommand = "npx"\nargs = [\n  "-y", # yes\n]\n',
    after: `# mine\nmodel = "best" # the good one\nmodel_provider = "waybill"\nmodel_context_window = 200000\n\n[mcp_servers.a]\ncommand = "npx"\nargs = [\n  "-y", # yes\n]\n\n[model_providers.waybill]\nname = "Waybill"\nbase_url = "http://127.0.0.1:7717/v1"\nwire_api = "responses"\nexperimental_bearer_token = "${token}"\n`,
    edit: ['experimental', 'stream_max_retries = 3\nexperimental'],
    edited: '# mine\nmodel = "gpt-5.4" # the good one\n\n[mcp_servers.a]\ncommand = "npx"\nargs = [\n  "-y", # yes\n]\n',
  },
  {
    tool: 'codex', says: 'no configuration', file: '.codex/config.toml', before: undefined,
    after: `model = "best"\nmodel_provider = "waybill"\nmodel_context_window = 200000\n\n[model_providers.waybill]\nname = "Waybill"\nbase_url = "http://127.0.0.1:7717/v1"\nwire_api = "responses"\nexperimental_bearer_token = "${token}"\n`,
    edit: ['model = "best"', 'model = "gpt-5.4"\npersonality = "terse"'], edited: 'model = "gpt-5.4"\npersonality = "terse"\n',
  },
  {
    tool: 'gemini-cli', says: 'an environment file', file: '.gemini/.env', before: '# mine\nGEMINI_API_KEY="AIza-mine" # old\nDEBUG=1\n',
    after: `# mine\nGEMINI_API_KEY=${token} # old\nDEBUG=1\nGOOGLE_GEMINI_BASE_URL=http://127.0.0.1:7717\nGEMINI_MODEL=waybill/best\n`,
    also: { '.gemini/settings.json': '{\n  "security": {\n    "auth": {\n      "selectedType": "gemini-api-key"\n    }\n  },\n  "model": {\n    "compressionThreshold": 0.133\n  }\n}\n' },
    edit: ['DEBUG=1\n', 'DEBUG=1\nMORE=2\n'], edited: '# mine\nGEMINI_API_KEY=AIza-mine # old\nDEBUG=1\nMORE=2\n',
  },
  {
    tool: 'opencode', says: 'a configuration', file: '.config/opencode/opencode.json', before: '{\n  "$schema": "https://opencode.ai/config.json",\n  "provider": {\n    "mine": {}\n  }\n}\n',
    after: `{\n  "$schema": "https://opencode.ai/config.json",\n  "provider": {\n    "mine": {},\n    "waybill": {\n      "npm": "@ai-sdk/openai-compatible",\n      "name": "Waybill",\n      "options": {\n        "baseURL": "http://127.0.0.1:7717/v1",\n        "apiKey": "${token}"\n      },\n      "models": {\n        "best": {\n          "name": "best",\n          "limit": {\n            "context": 200000,\n            "output": 32000\n          },\n          "tool_call": true,\n          "attachment": true\n        }\n      }\n    }\n  },\n  "model": "waybill/best"\n}\n`,
    edit: ['"mine": {}', '"mine": { "name": "M" }'], edited: '{\n  "$schema": "https://opencode.ai/config.json",\n  "provider": {\n    "mine": { "name": "M" }\n  }\n}\n',
  },
  {
    tool: 'continue', says: 'a list of models', file: '.continue/config.yaml', before: 'name: Mine\nversion: 0.0.1\nschema: v1\nmodels:\n- name: GPT # good\n  provider: openai\nrules: [ "a",  "b" ]\n',
    after: `name: Mine\nversion: 0.0.1\nschema: v1\nmodels:\n- name: GPT # good\n  provider: openai\n- name: Waybill\n  provider: openai\n  model: best\n  apiBase: http://127.0.0.1:7717/v1\n  apiKey: ${token}\n  roles:\n    - chat\n    - edit\n    - apply\n  capabilities:\n    - tool_use\n    - image_input\n  defaultCompletionOptions:\n    contextLength: 200000\nrules: [ "a",  "b" ]\n`,
    edit: ['    - apply\n', '    - apply\n    - autocomplete\n'], edited: 'name: Mine\nversion: 0.0.1\nschema: v1\nmodels:\n- name: GPT # good\n  provider: openai\nrules: [ "a",  "b" ]\n',
  },
  {
    tool: 'cline', says: 'its providers', file: '.cline/data/settings/providers.json', before: '{"version":1,"lastUsedProvider":"anthropic","modes":{},"providers":{"anthropic":{"settings":{"provider":"anthropic"}}}}',
    after: `{"version":1,"lastUsedProvider":"openai-compatible","modes":{},"providers":{"anthropic":{"settings":{"provider":"anthropic"}}, "openai-compatible": {"settings":{"provider":"openai-compatible","apiKey":"${token}","model":"best","baseUrl":"http://127.0.0.1:7717/v1","contextWindow":200000,"maxTokens":32000},"updatedAt":"2026-11-20T00:00:00.000Z","tokenSource":"manual"}}}`,
    edit: ['"updatedAt":"2026-11-20', '"updatedAt":"2026-11-21'],
    edited: '{"version":1,"lastUsedProvider":"anthropic","modes":{},"providers":{"anthropic":{"settings":{"provider":"anthropic"}}}}',
  },
  {
    tool: 'aider', says: 'a configuration', file: '.aider.conf.yml', before: '## mine\nread:   [a.md]\nmodel: "sonnet"  # for now\n',
    after: `## mine\nread:   [a.md]\nmodel: openai/best  # for now\nopenai-api-base: http://127.0.0.1:7717/v1\nopenai-api-key: ${token}\nshow-model-warnings: false\n`,
    edit: ['read:   [a.md]', 'read:   [a.md, b.md]'], edited: '## mine\nread:   [a.md, b.md]\nmodel: sonnet  # for now\n',
  },
];

for (const { tool, says, file, before, after, also = {}, edit, edited } of cases) {
  describe(`${tool} with ${says}`, () => {
    it('is given the endpoint, and gets every byte back', async () => {
      if (before !== undefined) write(file, before);
      await connect(tool);
      assert.equal(read(file), after);
      for (const [name, text] of Object.entries(also)) assert.equal(read(name), text);
      assert.deepEqual((await connector.states()).filter(one => one.connected).map(one => [one.id, one.connectedTo]), [[tool, 'best']]);
      await connector.disconnect(tool);
      if (before === undefined) assert.ok(!existsSync(path.join(home, file)));
      else assert.equal(read(file), before);
      for (const name of Object.keys(also)) assert.ok(!existsSync(path.join(home, name)), name);
      assert.ok((await connector.states()).every(one => !one.connected));
    });

    it('can be connected again, also to another route, and still gets every byte back', async () => {
      if (before !== undefined) write(file, before);
      await connect(tool);
      await connect(tool);
      assert.equal(read(file), after);
      await connect(tool, other);
      assert.equal(read(file), after.replaceAll('best', 'cheap'));
      await connector.disconnect(tool);
      if (before === undefined) assert.ok(!existsSync(path.join(home, file)));
      else assert.equal(read(file), before);
    });

    it('keeps what was changed in between', async () => {
      if (before !== undefined) write(file, before);
      await connect(tool);
      const [from, to] = edit ?? ['', ''];
      assert.ok(read(file).includes(from));
      write(file, read(file).replace(from, to));
      await connector.disconnect(tool);
      assert.equal(read(file), edited);
    });
  });
}

describe('connecting a tool', () => {
  const { token: _token, ...unnamed } = connection;

  it('shows the change without any key, neither ours nor the user\'s', async () => {
    write('.gemini/.env', 'GEMINI_API_KEY=AIza-this-is-my-own-key\n');
    const [env, settings] = await connector.previewConnect('gemini-cli', unnamed);
    assert.equal(env?.before, 'GEMINI_API_KEY=••••••••\n');
    assert.equal(env?.after, 'GEMINI_API_KEY=waybill-••••••••\nGOOGLE_GEMINI_BASE_URL=http://127.0.0.1:7717\nGEMINI_MODEL=waybill/best\n');
    assert.equal(settings?.before, '');
    await connect('gemini-cli');
    const back = await connector.previewDisconnect('gemini-cli');
    assert.ok(back.length === 2 && back.every(change => !JSON.stringify(change).includes('AIza') && !JSON.stringify(change).includes(token)));
  });

  it('keeps no token in its record, and the record to its owner', async () => {
    write('.codex/config.toml', 'model = "x"\n');
    await connect('codex');
    const record = path.join(root, 'storage', 'connections', 'codex.json');
    assert.ok(!readFileSync(record, 'utf8').includes(token));
    if (process.platform !== 'win32') assert.equal(statSync(record).mode & 0o777, 0o600);
  });

  it('makes a file with a token private, and gives it its old permissions back', async () => {
    if (process.platform === 'win32') return;
    const file = write('.aider.conf.yml', 'dark-mode: true\n');
    chmodSync(file, 0o664);
    await connect('aider');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await connector.disconnect('aider');
    assert.equal(statSync(file).mode & 0o777, 0o664);
    await connect('claude-code');
    assert.equal(statSync(path.join(home, '.claude/settings.json')).mode & 0o777, 0o600);
  });

  it('writes through links, also to a file that is not there yet', async () => {
    const real = write('dotfiles/codex.toml', 'model = "x"\n');
    mkdirSync(path.join(home, '.codex'));
    symlinkSync('../dotfiles/codex.toml', path.join(home, '.codex/config.toml'));
    mkdirSync(path.join(home, '.claude'));
    symlinkSync(path.join(home, 'dotfiles/claude/settings.json'), path.join(home, '.claude/settings.json'));
    await connect('codex');
    await connect('claude-code');
    assert.ok(lstatSync(path.join(home, '.codex/config.toml')).isSymbolicLink());
    assert.match(readFileSync(real, 'utf8'), /model_provider = "waybill"/);
    assert.match(read('dotfiles/claude/settings.json'), /ANTHROPIC_BASE_URL/);
    await connector.disconnect('codex');
    assert.ok(lstatSync(path.join(home, '.codex/config.toml')).isSymbolicLink());
    assert.equal(readFileSync(real, 'utf8'), 'model = "x"\n');
    assert.deepEqual(readdirSync(path.join(home, 'dotfiles')).sort(), ['claude', 'codex.toml'], 'nothing is left beside it');
  });

  const unusable: { says: string; make: () => void; message: RegExp }[] = [
    { says: 'broken', make: () => write('.claude/settings.json', '{ "env": '), message: /settings\.json is not valid JSON \(line 1: .*\); nothing was changed\.$/ },
    { says: 'not text', make: () => writeFileSync(write('.claude/settings.json', ''), Buffer.from([0x7b, 0xff, 0xfe])), message: /is not UTF-8 text; nothing was changed\.$/ },
    { says: 'a folder', make: () => mkdirSync(path.join(home, '.claude/settings.json'), { recursive: true }), message: /is not a file; nothing was changed\.$/ },
    { says: 'a link in a circle', make: () => { mkdirSync(path.join(home, '.claude')); symlinkSync('settings.json', path.join(home, '.claude/settings.json')); }, message: /leads in a circle; nothing was changed\.$/ },
    { says: 'in a folder that is a file', make: () => write('.claude', ''), message: /cannot be read \(ENOTDIR\); nothing was changed\.$/ },
  ];
  for (const { says, make, message } of unusable) {
    it(`says in one sentence that a file is ${says}, and leaves it`, async () => {
      make();
      await assert.rejects(connector.previewConnect('claude-code', unnamed), error => error instanceof Error && error.name === 'ConfigFileError' && message.test(error.message));
      assert.ok((await connector.states()).every(one => !one.connected));
    });
  }

  it('writes nothing when the file has changed since it was shown', async () => {
    write('.codex/config.toml', 'model = "x"\n');
    const shown = await connector.previewConnect('codex', unnamed);
    write('.codex/config.toml', 'model = "y"\n');
    await assert.rejects(connector.connect('codex', connection, shown), /has changed since it was shown/);
    assert.equal(read('.codex/config.toml'), 'model = "y"\n');
  });

  it('puts the first file back when the second cannot be written', async () => {
    write('.gemini/.env', 'A=1\n');
    const elsewhere = path.join(root, 'elsewhere');
    writeFileSync(elsewhere, 'no folder');
    symlinkSync(path.join(root, 'later', 'settings.json'), path.join(home, '.gemini/settings.json'));
    const shown = await connector.previewConnect('gemini-cli', unnamed);
    symlinkSync(elsewhere, path.join(root, 'later'));
    await assert.rejects(connector.connect('gemini-cli', connection, shown));
    assert.equal(read('.gemini/.env'), 'A=1\n');
    assert.ok((await connector.states()).every(one => !one.connected));
  });

  it('leaves a value that someone has changed since', async () => {
    write('.claude/settings.json', '{}\n');
    await connect('claude-code');
    write('.claude/settings.json', read('.claude/settings.json').replace('"ANTHROPIC_MODEL": "best"', '"ANTHROPIC_MODEL": "haiku"'));
    await connector.disconnect('claude-code');
    assert.deepEqual(JSON.parse(read('.claude/settings.json')), { env: { ANTHROPIC_MODEL: 'haiku' } });
  });

  it('does not bring back a file that was deleted since', async () => {
    write('.codex/config.toml', 'model = "x"\n');
    await connect('codex');
    rmSync(path.join(home, '.codex'), { recursive: true });
    await connector.disconnect('codex');
    assert.ok(!existsSync(path.join(home, '.codex')));
    assert.ok((await connector.states()).every(one => !one.connected));
  });

  it('keeps its record when a file cannot be put back, so that it can be done again', async () => {
    write('.codex/config.toml', 'model = "x"\n');
    await connect('codex');
    const good = read('.codex/config.toml');
    write('.codex/config.toml', `${good}broken = \n`);
    await assert.rejects(connector.disconnect('codex'), /config\.toml is not valid TOML \(line \d+\); nothing was changed\.$/);
    write('.codex/config.toml', good);
    await connector.disconnect('codex');
    assert.equal(read('.codex/config.toml'), 'model = "x"\n');
  });

  it('adds to the older config.json of Continue rather than hiding it', async () => {
    write('.continue/config.json', '{\n  "models": []\n}\n');
    await connect('continue');
    assert.ok(!existsSync(path.join(home, '.continue/config.yaml')));
    assert.match(read('.continue/config.json'), /"title": "Waybill"/);
    await connector.disconnect('continue');
    assert.equal(read('.continue/config.json'), '{\n  "models": []\n}\n');
  });

  it('leaves a file that the tool has gone on with valid for the tool', async () => {
    await connect('cline');
    const written = JSON.parse(read('.cline/data/settings/providers.json')) as object;
    write('.cline/data/settings/providers.json', JSON.stringify({ ...written, modes: {} }, undefined, 2));
    await connector.disconnect('cline');
    assert.deepEqual(JSON.parse(read('.cline/data/settings/providers.json')), { version: 1, providers: {}, modes: {} });
  });

  it('finds the tools that are here, and goes where their variables point', async () => {
    mkdirSync(path.join(home, '.codex'));
    const states = await connector.states();
    assert.equal(states[0]?.id, 'codex');
    assert.equal(states[0]?.found, path.join(home, '.codex'));
    assert.ok(states.slice(1).every(one => one.found === undefined));
    const moved = new ToolConnector({ home, environment: { CODEX_HOME: path.join(root, 'moved') } }, path.join(root, 'storage'));
    await moved.connect('codex', connection, await moved.previewConnect('codex', unnamed));
    assert.ok(existsSync(path.join(root, 'moved', 'config.toml')));
  });
});
