import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { findKeys, keyPlaces } from '../../../../../client/connect/keys/findKeys.ts';
import type { SearchedMachine } from '../../../../../client/connect/keys/findKeys.ts';
import { judged } from '../../../../../client/connect/keys/judgeValue.ts';
import { loginVariables } from '../../../../../client/connect/keys/loginShell.ts';
import { keyVariables } from '../../../../../client/connect/keys/variables.ts';
import { providers } from '../../../../../server/catalog/providers.ts';

const folders: string[] = [];
afterEach(() => { for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true }); });

/** A home folder with these files in it. */
function home(files: Readonly<Record<string, string | object>> = {}): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-keys-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
  }
  return folder;
}

const machine = (changes: Partial<SearchedMachine> = {}): SearchedMachine => ({ home: home(), environment: {}, platform: 'linux', trustedFolders: [], ...changes });

/** What is found in every place of a machine but the login shell. */
async function found(where: SearchedMachine): Promise<{ keys: string[]; left: string[] }> {
  const { keys, notTaken } = await findKeys(where, new Set(keyPlaces(where).map(({ id }) => id).filter(id => id !== 'shell')));
  return {
    keys: keys.map(({ place, source, provider, secret, baseUrl }) => [place, source, provider, secret, ...(baseUrl === undefined ? [] : [baseUrl])].join(' | ')),
    left: notTaken.map(({ place, source, why }) => `${place} | ${source} ${why}`),
  };
}

const claudeKey = 'sk-ant-api03-AbCdEfGhIjKlMnOpQrSt';
const openAiKey = 'sk-proj-AbCdEfGhIjKlMnOpQrSt';
const otherKey = 'or-AbCdEfGhIjKlMnOpQrSt';

describe('keys that are on the machine', () => {
  it('are found in the environment of the editor, and placeholders are none', async () => {
    assert.deepEqual(await found(machine({ environment: { ANTHROPIC_API_KEY: claudeKey, OPENAI_API_KEY: 'your-key-here', GROQ_API_KEY: '', XAI_API_KEY: 'xai-...', UNRELATED_TOKEN: 'secret-of-something-else' } })), {
      keys: [`Environment of the editor | ANTHROPIC_API_KEY | anthropic | ${claudeKey}`], left: [],
    });
  });

  it('go to the address that is set beside them, and not to the vendor', async () => {
    const environment = { OPENAI_API_KEY: otherKey, OPENAI_BASE_URL: 'https://gateway.example/v1/', ANTHROPIC_AUTH_TOKEN: otherKey, ANTHROPIC_BASE_URL: 'https://gateway.example', GEMINI_API_KEY: otherKey, GOOGLE_GEMINI_BASE_URL: 'https://gateway.example', MISTRAL_API_KEY: otherKey };
    assert.deepEqual((await found(machine({ environment }))).keys, [
      `Environment of the editor | OPENAI_API_KEY | openai-compatible | ${otherKey} | https://gateway.example/v1`,
      `Environment of the editor | ANTHROPIC_AUTH_TOKEN | anthropic-compatible | ${otherKey} | https://gateway.example`,
      `Environment of the editor | GEMINI_API_KEY | gemini | ${otherKey} | https://gateway.example`,
      `Environment of the editor | MISTRAL_API_KEY | mistral | ${otherKey}`,
    ]);
    assert.deepEqual((await found(machine({ environment: { OPENAI_API_KEY: openAiKey, OPENAI_BASE_URL: 'https://api.openai.com/v1' } }))).keys, [`Environment of the editor | OPENAI_API_KEY | openai | ${openAiKey}`]);
  });

  it('go to the address that their tool names in another file, and stay where another place names one', async () => {
    const where = machine({
      environment: { ANTHROPIC_AUTH_TOKEN: otherKey, XAI_API_KEY: otherKey, OPENAI_API_KEY: openAiKey, OPENAI_BASE_URL: 'https://api.openai.com/v1' },
      home: home({
        '.local/share/opencode/auth.json': { 'anthropic': { type: 'api', key: otherKey }, 'google': { type: 'api', key: otherKey } },
        '.config/opencode/opencode.json': { provider: { anthropic: { options: { baseURL: 'https://gateway.corp.example' } }, google: { options: { baseURL: 'https://gateway.corp.example/gemini' } } } },
        '.codex/auth.json': { OPENAI_API_KEY: otherKey },
        '.codex/config.toml': 'model_provider = "corp"\n[model_providers.corp]\nbase_url = "https://gateway.corp.example/v1"\nrequires_openai_auth = true\n',
      }),
    });
    assert.deepEqual(await found(where), {
      keys: [
        `Environment of the editor | OPENAI_API_KEY | openai | ${openAiKey}`, `Environment of the editor | XAI_API_KEY | xai | ${otherKey}`,
        `Codex | OPENAI_API_KEY | openai-compatible | ${otherKey} | https://gateway.corp.example/v1`,
        `OpenCode | anthropic | anthropic-compatible | ${otherKey} | https://gateway.corp.example`, `OpenCode | google | gemini | ${otherKey} | https://gateway.corp.example/gemini`,
      ],
      left: ['Environment of the editor | ANTHROPIC_AUTH_TOKEN may be for another address, which is named in: OpenCode. Use "Add Provider…".'],
    });
    const tokenHere = machine({ environment: { ANTHROPIC_AUTH_TOKEN: otherKey }, home: home({ '.claude/settings.json': { env: { ANTHROPIC_BASE_URL: 'https://gateway.corp.example' } } }) });
    assert.deepEqual(await found(tokenHere), { keys: [], left: ['Environment of the editor | ANTHROPIC_AUTH_TOKEN may be for another address, which is named in: Claude Code. Use "Add Provider…".'] });
    const addressHere = machine({ environment: { ANTHROPIC_BASE_URL: 'https://gateway.corp.example' }, home: home({ '.claude/settings.json': { env: { ANTHROPIC_AUTH_TOKEN: otherKey } } }) });
    assert.deepEqual((await findKeys(addressHere, new Set(['tool:Claude Code']))).keys, []);
    const split = home({ '.env': `OPENAI_API_KEY=${otherKey}`, '.env.local': 'OPENAI_BASE_URL=https://gateway.corp.example' });
    assert.deepEqual((await found(machine({ trustedFolders: [split] }))).keys, []);
  });

  it('are taken although a tool is connected to Waybill, and a workspace holds back no key but its own', async () => {
    const where = machine({
      environment: { ANTHROPIC_API_KEY: claudeKey, OPENAI_API_KEY: openAiKey }, trustedFolders: [home({ '.env': 'OPENAI_BASE_URL=https://collector.evil.example' })],
      home: home({ '.claude/settings.json': { env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:7717', ANTHROPIC_AUTH_TOKEN: 'waybill-AbCdEfGhIjKlMnOp' } } }),
    });
    assert.deepEqual((await found(where)).keys, [`Environment of the editor | OPENAI_API_KEY | openai | ${openAiKey}`, `Environment of the editor | ANTHROPIC_API_KEY | anthropic | ${claudeKey}`]);
  });

  it('are found where each tool keeps them', async () => {
    const where = machine({
      home: home({
        '.claude/settings.json': { env: { ANTHROPIC_API_KEY: claudeKey }, permissions: {} },
        '.codex/auth.json': { OPENAI_API_KEY: openAiKey, tokens: null, last_refresh: null },
        '.codex/config.toml': `model = "x"\n[model_providers.corp]\nname = "Corp"\nbase_url = "https://ai.corp.example/v1"\nexperimental_bearer_token = "${otherKey}"\n`,
        '.continue/config.yaml': `name: Local\nmodels:\n  - name: Sonnet\n    provider: anthropic\n    model: claude-sonnet-5.5\n    apiKey: ${claudeKey}2\n  - name: Later\n    provider: mistral\n    apiKey: \${{ secrets.MISTRAL_API_KEY }}\n`,
        '.continue/.env': `export MISTRAL_API_KEY='mistral-AbCdEfGhIjKl'\n`,
        '.cline/data/settings/providers.json': { version: 1, providers: { openrouter: { settings: { provider: 'openrouter', apiKey: 'sk-or-v1-AbCdEfGhIjKl' } } } },
        '.aider.conf.yml': `openai-api-key: ${openAiKey}\napi-key:\n  - gemini=AIzaSyAbCdEfGhIjKlMnOpQrSt\nset-env:\n  - DEEPSEEK_API_KEY=sk-deepseek-0123456789\n`,
        '.local/share/opencode/auth.json': { groq: { type: 'api', key: 'gsk_AbCdEfGhIjKlMnOpQrSt' } },
        '.config/opencode/opencode.json': `{ // comment\n "provider": { "xai": { "options": { "apiKey": "{env:XAI_API_KEY}" } } } }`,
        '.gemini/.env': 'GEMINI_API_KEY="AIzaSyZyXwVuTsRqPoNmLkJiHg"\n',
      }),
    });
    assert.deepEqual(await found(where), {
      keys: [
        `Claude Code | ANTHROPIC_API_KEY | anthropic | ${claudeKey}`,
        `Codex, aider | OPENAI_API_KEY | openai | ${openAiKey}`,
        `Codex | model_providers.corp | openai-compatible | ${otherKey} | https://ai.corp.example/v1`,
        `Continue | Sonnet: apiKey | anthropic | ${claudeKey}2`,
        'Continue | MISTRAL_API_KEY | mistral | mistral-AbCdEfGhIjKl',
        'Cline | openrouter: apiKey | openrouter | sk-or-v1-AbCdEfGhIjKl',
        'aider | api-key: gemini | gemini | AIzaSyAbCdEfGhIjKlMnOpQrSt',
        'aider | DEEPSEEK_API_KEY | deepseek | sk-deepseek-0123456789',
        'OpenCode | groq | groq | gsk_AbCdEfGhIjKlMnOpQrSt',
        'Gemini CLI | GEMINI_API_KEY | gemini | AIzaSyZyXwVuTsRqPoNmLkJiHg',
      ],
      left: ['Continue | Later: apiKey refers to a secret that is kept elsewhere.', 'OpenCode | provider.xai refers to a secret that is kept elsewhere.'],
    });
  });

  it('are not shown where the provider before them was forgotten', async () => {
    const padded = Buffer.from('BedrockAPIKey-a-very-long-value-of-it').toString('base64');
    assert.ok(padded.endsWith('='));
    const { keys, left } = await found(machine({ home: home({ '.aider.conf.yml': `api-key:\n  - ABSK${padded}\n  - ABSK${padded}${claudeKey}\n` }) }));
    assert.deepEqual(keys, []);
    assert.doesNotMatch(left.join('\n'), /ABSK/);
  });

  it('are found where variables have moved the folders of the tools', async () => {
    const where = home({
      'a/auth.json': { OPENAI_API_KEY: openAiKey }, 'b/settings.json': { env: { ANTHROPIC_API_KEY: claudeKey } }, 'c/config.json': { models: [{ title: 'G', provider: 'groq', apiKey: 'gsk_AbCdEfGhIjKlMnOpQrSt' }] },
      'd/opencode/auth.json': { openrouter: { type: 'api', key: 'sk-or-v1-AbCdEfGhIjKl' } }, 'e/.gemini/.env': 'GEMINI_API_KEY=AIzaSyZyXwVuTsRqPoNmLkJiHg', 'f.json': { providers: { deepseek: { settings: { apiKey: 'sk-deepseek-0123456789' } } } },
    });
    const at = (name: string): string => path.join(where, name);
    const environment = { CODEX_HOME: at('a'), CLAUDE_CONFIG_DIR: at('b'), CONTINUE_GLOBAL_DIR: at('c'), XDG_DATA_HOME: at('d'), GEMINI_CLI_HOME: at('e'), CLINE_PROVIDER_SETTINGS_PATH: at('f.json') };
    assert.deepEqual((await found(machine({ home: where, environment }))).keys.map(line => line.split(' | ')[0]), ['Claude Code', 'Codex', 'Continue', 'Cline', 'OpenCode', 'Gemini CLI']);
  });

  it('are not logins of accounts and not tokens of Waybill, and it is said why', async () => {
    const where = machine({
      environment: { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-AbCdEfGhIjKl', OPENAI_API_KEY: 'waybill-AbCdEfGhIjKlMnOp' },
      home: home({
        '.claude/.credentials.json': { claudeAiOauth: { accessToken: 'sk-ant-oat01-AbCdEfGhIjKl', refreshToken: 'x' } },
        '.codex/auth.json': { OPENAI_API_KEY: null, tokens: { access_token: 'eyJhbGciOi.aaaaaaaa', refresh_token: 'rt', account_id: 'a' } },
        '.gemini/oauth_creds.json': { access_token: 'ya29.abcdefgh', refresh_token: '1//x' },
        '.local/share/opencode/auth.json': { anthropic: { type: 'oauth', access: 'sk-ant-oat01-AbCdEfGhIjKl', refresh: 'r' } },
      }),
    });
    const { keys, left } = await found(where);
    assert.deepEqual(keys, []);
    assert.equal(left.length, 6);
    assert.match(left.join('\n'), /token of Waybill itself[^]*Claude subscription[^]*Claude subscription[^]*ChatGPT login[^]*login of an account[^]*login with Google/);
    assert.doesNotMatch(left.join('\n'), /AbCdEfGh|eyJ|ya29/);
  });

  it('are read of a workspace only where it is trusted', async () => {
    const workspace = home({ '.env': `OPENAI_API_KEY=${openAiKey}\n` });
    assert.deepEqual((await found(machine())).keys, []);
    assert.deepEqual((await found(machine({ trustedFolders: [workspace] }))).keys, [`.env of ${path.basename(workspace)} | OPENAI_API_KEY | openai | ${openAiKey}`]);
  });

  it('are no proposal where a workspace alone holds them, and stay there where it names an address', async () => {
    const workspace = home({ '.env': `OPENAI_API_KEY=${openAiKey}\nMISTRAL_API_KEY=${otherKey}\n`, '.env.local': `ANTHROPIC_API_KEY=${claudeKey}\nANTHROPIC_BASE_URL=https://collector.evil.example\nAZURE_API_KEY=${otherKey}\nAZURE_API_BASE=https://evil.example` });
    const where = machine({ trustedFolders: [workspace], environment: { MISTRAL_API_KEY: otherKey } });
    assert.deepEqual(keyPlaces(where).map(({ id, isPicked }) => [id, isPicked]), [['environment', true], ['workspace', false]]);
    const { keys, notTaken } = await findKeys(where, new Set(['environment', 'workspace']));
    assert.deepEqual(keys.map(({ source, baseUrl, ofWorkspace }) => [source, baseUrl, ofWorkspace]), [['MISTRAL_API_KEY', undefined, undefined], ['OPENAI_API_KEY', undefined, true]]);
    assert.deepEqual(notTaken.map(({ source, why }) => `${source} ${why}`), ['ANTHROPIC_API_KEY', 'AZURE_API_KEY'].map(source => `${source} goes with an address that a file of this workspace names. Use "Add Provider…".`));
  });

  it('are read in the places that were chosen alone, which are listed without being read', async () => {
    const where = machine({ environment: { OPENAI_API_KEY: openAiKey, SHELL: '/bin/bash' }, home: home({ '.codex/auth.json': 'no JSON at all', '.continue/.env': 'MISTRAL_API_KEY=mistral-AbCdEfGhIjKl' }) });
    assert.deepEqual(keyPlaces(where).map(({ name, reads }) => `${name}: ${reads}`), [
      'Environment of the editor: variables such as OPENAI_API_KEY', 'Login shell: runs /bin/bash with its start-up files, for the same variables', 'Codex: ~/.codex/auth.json', 'Continue: ~/.continue/.env',
    ]);
    assert.deepEqual((await findKeys(where, new Set(['tool:Continue']))).keys.map(({ source }) => source), ['MISTRAL_API_KEY']);
  });

  it('stop nothing where a file cannot be understood, and no word of it is repeated', async () => {
    const where = machine({ home: home({ '.codex/auth.json': `{ "OPENAI_API_KEY": "${openAiKey}" oops`, '.codex/config.toml': `x = "${openAiKey}`, '.continue/.env': 'MISTRAL_API_KEY=mistral-AbCdEfGhIjKl' }) });
    const { keys, left } = await found(where);
    assert.deepEqual(keys.length, 1);
    assert.deepEqual(left, ['Codex | ~/.codex/auth.json could not be understood.', 'Codex | ~/.codex/config.toml could not be understood.']);
  });

  it('are read of a login shell, which gets none of the secrets of the editor', { skip: process.platform === 'win32' }, async () => {
    const folder = home({ '.bash_profile': `echo a greeting\nexport OPENAI_API_KEY=${openAiKey}\nexport SEEN="$ANTHROPIC_API_KEY"\n` });
    const variables = await loginVariables('/bin/bash', { HOME: folder, PATH: process.env['PATH'], ANTHROPIC_API_KEY: claudeKey });
    assert.deepEqual([variables['OPENAI_API_KEY'], variables['SEEN'], variables['ANTHROPIC_API_KEY']], [openAiKey, '', undefined]);
  });

  it('belong to providers of the catalog', () => {
    const known = new Set(providers.map(({ id }) => id));
    assert.deepEqual(Object.values(keyVariables).filter(id => !known.has(id)), []);
  });

  it('are left where the address beside them is none', () => {
    const value = { place: 'p', source: 's', value: openAiKey };
    for (const address of ['ftp://x.example', 'not a url', 'https://user:pass@x.example']) assert.match(judged(value, 'openai', address).notTaken[0]?.why ?? '', /cannot be read/);
  });
});
