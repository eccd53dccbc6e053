import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { toolDoctor } from '../../../../client/connect/doctor/doctor.ts';
import { ToolConnector } from '../../../../client/connect/toolConnector.ts';
import type { OfferedModel } from '../../../../server/api/status.ts';
import type { Finding, Patient } from '../../../../server/api/toolDoctor.ts';

const token = 'waybill-0123456789abcdef0123456789abcdef';
const url = 'http://127.0.0.1:7717';

function offeredModel(requestedModel: string, contextWindow: number): OfferedModel {
  return {
    id: `route:${requestedModel}`, requestedModel, kind: 'route', name: requestedModel, targets: ['north/m'], state: 'healthy', condition: { kind: 'healthy' }, detail: '', maxInputTokens: 1, maxOutputTokens: 1,
    imageInput: false, toolCalling: true, thinking: false, lasting: { contextWindow, maxInputTokens: contextWindow - 8000, maxOutputTokens: 8000 },
  };
}

let root: string;
let home: string;
let project: string;
let environment: Record<string, string>;
let endpoint: Patient['endpoint'];
let offered: OfferedModel[];
let versions: Record<string, string>;
let sent: string[];

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'waybill-doctor-'));
  [home, project] = [path.join(root, 'home'), path.join(root, 'project')];
  for (const folder of [home, project]) mkdirSync(folder);
  environment = {};
  endpoint = { url };
  offered = [offeredModel('best', 128_000), offeredModel('cheap', 64_000)];
  versions = { claude: '2.1.332 (Claude Code)' };
  sent = [];
});
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

const patient = (): Patient => ({
  where: { home, environment }, storageFolder: path.join(root, 'storage'), folders: [project], endpoint, offered,
  takesToken: async presented => { sent.push(presented); return presented === token; },
  versionOf: async program => versions[program],
});

async function connect(tool: string, at = url, roles?: Record<string, OfferedModel>): Promise<void> {
  const connector = new ToolConnector({ home, environment }, path.join(root, 'storage'));
  const wanted = { url: at, model: offered[0] ?? assert.fail(), at: 1, ...(roles === undefined ? {} : { roles }) };
  await connector.connect(tool, { ...wanted, token }, await connector.previewConnect(tool, wanted));
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const claudeFile = (): string => path.join(home, '.claude', 'settings.json');
const edit = (file: string, from: string | RegExp, to: string): void => { writeFileSync(file, readFileSync(file, 'utf8').replace(from, to)); };
const wrong = (findings: readonly Finding[]): [string, string | undefined][] => findings.filter(one => one.severity !== 'note').map(one => [one.kind, one.mend]);
const examine = (tool: string): Promise<Finding[]> => toolDoctor.examine(tool, patient());

describe('the doctor of connected tools', () => {
  for (const tool of ['claude-code', 'codex', 'gemini-cli', 'opencode', 'continue', 'cline', 'aider']) {
    it(`finds nothing wrong with ${tool} as it was connected, and knows what was broken since`, async () => {
      await connect(tool);
      assert.deepEqual(wrong(await examine(tool)), []);
      assert.deepEqual(sent, [token]);
      assert.deepEqual(await toolDoctor.patients(patient()), [tool]);
      endpoint = { url: 'http://127.0.0.1:7718' };
      sent.length = 0;
      const [moved] = await examine(tool);
      assert.deepEqual([moved?.kind, moved?.severity, moved?.mend], ['address', 'error', 'rewrite']);
      assert.match(moved?.message ?? '', /leads to http:\/\/127\.0\.0\.1:7717, but Waybill answers at http:\/\/127\.0\.0\.1:7718: write the connection again\.$/);
      assert.deepEqual(sent, [], 'no token goes to another address');
      await toolDoctor.mend(tool, 'rewrite', patient(), token);
      assert.deepEqual(wrong(await examine(tool)), []);
    });
  }

  it('says why no Waybill answers, and sends no token there', async () => {
    await connect('codex');
    endpoint = { message: 'Port 7717 is held by another program.' };
    const [finding] = await examine('codex');
    assert.equal(finding?.kind, 'endpoint');
    assert.match(finding?.message ?? '', /^Port 7717 is held by another program\. /);
    assert.deepEqual(sent, []);
  });

  it('says that a token was revoked', async () => {
    await connect('claude-code');
    edit(claudeFile(), token, 'waybill-revoked-00000000000000');
    const findings = await examine('claude-code');
    assert.deepEqual(wrong(findings), [['token', 'rewrite'], ['changed', 'rewrite']]);
    assert.ok(findings.every(one => !one.message.includes('waybill-revoked')), 'no token is shown');
  });

  it('names settings that were changed or taken out, and writes them again', async () => {
    await connect('claude-code');
    edit(claudeFile(), '"ENABLE_TOOL_SEARCH": "true"', '"ENABLE_TOOL_SEARCH": "false"');
    edit(claudeFile(), '"CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",', '');
    const findings = await examine('claude-code');
    assert.deepEqual(wrong(findings), [['changed', 'rewrite']]);
    assert.match(findings[0]?.message ?? '', /^ENABLE_TOOL_SEARCH and CLAUDE_CODE_GATEWAY_HINT_HEADERS in ~.*settings\.json are no longer as Waybill wrote them/);
    await toolDoctor.mend('claude-code', 'rewrite', patient(), token);
    assert.deepEqual(wrong(await examine('claude-code')), []);
  });

  it('says that a file is gone, and that one cannot be read', async () => {
    await connect('codex');
    const file = path.join(home, '.codex', 'config.toml');
    rmSync(file);
    assert.deepEqual(wrong(await examine('codex')), [['file', 'rewrite']]);
    writeFileSync(file, 'model = = 1\n');
    assert.match((await examine('codex'))[0]?.message ?? '', /is not valid TOML \(line 1\): correct it, then check again\.$/);
  });

  it('says that a window is out of date, and brings it up to date', async () => {
    await connect('claude-code', url, { haiku: offered[1] ?? assert.fail() });
    offered = [offeredModel('best', 32_000), offeredModel('cheap', 64_000)];
    assert.deepEqual(wrong(await examine('claude-code')), [['window', 'refresh']]);
    await toolDoctor.mend('claude-code', 'refresh', patient(), '');
    assert.match(readFileSync(claudeFile(), 'utf8'), /"CLAUDE_CODE_MAX_CONTEXT_TOKENS": "32000"/);
    assert.deepEqual(wrong(await examine('claude-code')), []);
  });

  it('names a route that is gone', async () => {
    await connect('codex');
    offered = [offeredModel('cheap', 64_000)];
    assert.match((await examine('codex')).find(one => one.kind === 'route')?.message ?? '', /asks for "best", which is no route/);
  });

  const variables: [tool: string, name: string, value: string, says: RegExp][] = [
    ['claude-code', 'CLAUDE_CODE_USE_BEDROCK', '1', /ask Amazon Bedrock instead of Waybill: unset it/],
    ['claude-code', 'CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS', '1', /turns tool search off/],
    ['claude-code', 'ANTHROPIC_API_KEY', 'sk-ant-mine', /is a second credential/],
    ['gemini-cli', 'GEMINI_API_KEY', 'AIza-mine', /comes before what was written for Gemini CLI/],
    ['gemini-cli', 'GOOGLE_GENAI_USE_VERTEXAI', 'true', /Vertex AI instead of Waybill/],
    ['opencode', 'OPENCODE_CONFIG', '/elsewhere.json', /another configuration/],
    ['aider', 'AIDER_MODEL', 'sonnet', /comes before what was written for aider/],
    ['codex', 'HTTP_PROXY', 'http://proxy:3128', /add 127\.0\.0\.1 to NO_PROXY/],
  ];
  for (const [tool, name, value, says] of variables) {
    it(`knows that ${name} undoes the connection of ${tool}`, async () => {
      await connect(tool);
      environment[name] = value;
      const [finding, ...others] = (await examine(tool)).filter(one => one.severity !== 'note');
      assert.deepEqual(others, []);
      assert.match(finding?.message ?? '', new RegExp(`^${name} is set`));
      assert.match(finding?.message ?? '', says);
      assert.ok(!(finding?.message ?? '').includes(value) || value.length < 5, 'no value is shown');
    });
  }

  it('takes a variable with the written value, and a proxy that spares this machine, for what they are', async () => {
    await connect('gemini-cli');
    Object.assign(environment, { GOOGLE_GEMINI_BASE_URL: url, HTTP_PROXY: 'http://proxy:3128', NO_PROXY: 'localhost,127.0.0.1' });
    assert.deepEqual(wrong(await examine('gemini-cli')), []);
  });

  const files: [tool: string, file: string, text: string, says: RegExp][] = [
    ['claude-code', '.claude/settings.local.json', '{ "env": { "ANTHROPIC_MODEL": "opus" } }', /^ANTHROPIC_MODEL in .*settings\.local\.json comes before what was written for Claude Code: take it out there\./],
    ['codex', '.codex/config.toml', 'model_provider = "openai"\n', /^model_provider in .*config\.toml comes before/],
    ['gemini-cli', '.gemini/.env', 'GEMINI_API_KEY=x\n', /\.env is read in place of what was written/],
    ['opencode', 'opencode.json', '{ "model": "anthropic/claude" }', /^model in .*opencode\.json comes before/],
    ['aider', '.aider.conf.yml', 'model: sonnet\n', /^model in .*\.aider\.conf\.yml comes before/],
  ];
  for (const [tool, file, text, says] of files) {
    it(`knows that ${file} of a project undoes the connection of ${tool}`, async () => {
      await connect(tool);
      write(path.join(project, file), text);
      const [finding, ...others] = (await examine(tool)).filter(one => one.severity !== 'note');
      assert.deepEqual(others, []);
      assert.deepEqual([finding?.kind, finding?.file], ['override', path.join(project, file)]);
      assert.match(finding?.message ?? '', says);
      assert.equal(readFileSync(path.join(project, file), 'utf8'), text);
    });
  }

  it('knows that a profile in its own file comes first in Codex', async () => {
    await connect('codex');
    edit(path.join(home, '.codex', 'config.toml'), /^/, 'profile = "work"\n');
    assert.match((await examine('codex')).find(one => one.kind === 'override')?.message ?? '', /^profile in ~.*config\.toml chooses a profile/);
  });

  it('names a version that is too old for what was written, and one that is not', async () => {
    await connect('claude-code');
    assert.ok((await examine('claude-code')).some(one => one.message === 'Claude Code 2.1.332 is installed.'));
    versions = { claude: '2.1.99 (Claude Code)' };
    assert.match((await examine('claude-code')).find(one => one.kind === 'version')?.message ?? '', /^Claude Code 2\.1\.99 does not say what kind of request it sends: update it to 2\.1\.273 or newer\.$/);
    versions = {};
    assert.equal((await examine('claude-code')).find(one => one.kind === 'version')?.severity, 'note');
  });

  it('checks a tool that was given the endpoint by hand, and says of another that it is not connected', async () => {
    write(claudeFile(), `{ "env": { "ANTHROPIC_BASE_URL": "http://localhost:7717", "ANTHROPIC_AUTH_TOKEN": "${token}" } }`);
    assert.deepEqual(await toolDoctor.patients(patient()), ['claude-code']);
    assert.deepEqual(wrong(await examine('claude-code')), []);
    assert.deepEqual((await examine('codex')).map(one => one.kind), ['not-connected']);
    assert.match((await examine('emacs'))[0]?.message ?? '', /"emacs" is not a tool that can be connected; known are claude-code, /);
    await assert.rejects(toolDoctor.mend('claude-code', 'rewrite', patient(), token), /cannot be connected again from here/);
  });

  it('writes nothing while it looks', async () => {
    await connect('claude-code');
    edit(claudeFile(), '"best"', '"other"');
    offered = [offeredModel('best', 32_000)];
    const before = readFileSync(claudeFile(), 'utf8');
    await examine('claude-code');
    assert.equal(readFileSync(claudeFile(), 'utf8'), before);
  });
});
