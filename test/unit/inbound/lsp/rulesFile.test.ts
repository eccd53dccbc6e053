import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Connection } from 'vscode-languageserver';
import type { CompletionItem, DiagnosticsParams, HoverResult } from '../../../../server/api/rules/documents.ts';
import type { ConfigureParams, ConfigureResult } from '../../../../server/api/messages.ts';
import type { RuleVersion, RuleVersionResult } from '../../../../server/api/rules/rulesHistory.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { EditorConnection } from '../../../../server/inbound/lsp/editorConnection.ts';
import { lspFeatures } from '../../../../server/inbound/lsp/features/table.ts';
import { isConfiguration, OpenDocument } from '../../../../server/inbound/lsp/rules/documents.ts';
import { RuleVersions } from '../../../../server/router/rules/ruleVersions.ts';
import { createTestRouter } from '../../router/createTestRouter.ts';

const folder = mkdtempSync(join(tmpdir(), 'waybill-rules-file-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

/** The features of the language server on a connection that is played by hand. */
function editor() {
  const handlers = new Map<string, (params: unknown, token: unknown) => unknown>();
  const published: DiagnosticsParams[] = [];
  let wake = (): void => undefined;
  const register = (method: string, handle: (params: unknown, token: unknown) => unknown): void => { handlers.set(method, handle); };
  const connection = {
    onRequest: register, onNotification: register,
    sendNotification: (method: string, params: unknown) => {
      if (method === 'textDocument/publishDiagnostics') published.push(params as DiagnosticsParams);
      wake();
      return Promise.resolve();
    },
  };
  const { router } = createTestRouter({ pricer: createPricer({ log: silentLog }), ruleVersions: new RuleVersions(mkdtempSync(join(folder, 'versions-'))) });
  const features = lspFeatures.flatMap(feature => feature.register({
    editor: new EditorConnection(connection as unknown as Connection, silentLog), router,
    localEndpoint: { status: () => ({ state: 'off' }), listen: () => undefined, check: () => Promise.resolve({ state: 'off' }) },
    tools: { connect: () => '', disconnect: () => undefined, names: () => [], tokenOf: () => undefined, bounded: new Set(), setBounded: () => undefined }, simulation: { addressed: endpoints => Promise.resolve({ endpoints, problems: [] }), endOthers: () => Promise.resolve() }, configFile: join(folder, 'own.yaml'),
  }) ?? []);
  return {
    router, published,
    ask: async <Result>(method: string, params: unknown): Promise<Result> => await handlers.get(method)?.(params, { onCancellationRequested: () => ({ dispose: () => undefined }) }) as Result,
    diagnostics: async (): Promise<DiagnosticsParams> => {
      while (published.length === 0) await new Promise<void>(resolve => { wake = resolve; });
      return published.shift() ?? assert.fail();
    },
    close: async () => {
      for (const feature of features) feature.close?.();
      await router.shutdown();
    },
  };
}

const settings: ConfigureParams = {
  endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'https://relay.example/v1', models: { m: { contextWindow: 64_000, prices: { inputPerMTok: 2, outputPerMTok: 8 } } } } },
  routes: { own: { targets: ['relay/m'] } }, keys: {}, http: { enabled: false, port: 0 },
};

describe('a configuration file in an editor', () => {
  test('is known by its name, or as the file that the server was started with', () => {
    for (const path of ['/p/waybill.yaml', '/p/waybill.yml', '/p/team.waybill.yaml', '/p/waybill.local.yaml', '/p/Waybill.YAML', '/etc/own.yaml']) assert.ok(isConfiguration(pathToFileURL(path).href, '/etc/own.yaml'), path);
    for (const path of ['/p/other.yaml', '/p/mywaybill.yaml', '/p/waybill.json', '/waybill/x.yaml']) assert.ok(!isConfiguration(pathToFileURL(path).href, '/etc/own.yaml'), path);
  });

  test('has positions as the protocol counts them', () => {
    const document = new OpenDocument('', 1, 'a\u{1F600}b\r\nc\n');
    assert.equal(document.offsetAt({ line: 0, character: 3 }), 3);
    assert.equal(document.offsetAt({ line: 9, character: 9 }), document.text.length);
    assert.deepEqual(document.rangeOf(6, 7), { start: { line: 1, character: 0 }, end: { line: 1, character: 1 } });
  });

  test('is checked, completed and explained, with the endpoints in use, and never obeyed', async () => {
    const { ask, diagnostics, router, close } = editor();
    await ask('waybill/configure', settings);
    const uri = pathToFileURL(join(folder, 'waybill.yaml')).href;
    const text = 'routes:\n  fast:\n    strategy: fastst\n    targets: [relay/m]\n  other:\n    targets: [relay/m, nowhere/m, own]\n';
    await ask('textDocument/didOpen', { textDocument: { uri, version: 1, text } });
    const first = await diagnostics();
    assert.deepEqual(first.diagnostics.map(({ range: { start, end }, severity }) => [start.line, start.character, end.character, severity]), [[2, 14, 20, 1], [5, 23, 32, 1]]);
    const place = { textDocument: { uri }, position: { line: 5, character: 23 } };
    const completions = await ask<CompletionItem[]>('textDocument/completion', place);
    assert.ok(completions.some(({ label, textEdit }) => label === 'fast' && textEdit.range.end.character === 32));
    const hover = await ask<HoverResult>('textDocument/hover', { textDocument: { uri }, position: { line: 3, character: 16 } });
    assert.match(hover.contents.value, /Health now: .*[\s\S]*Price: \$2 in, \$8 out for a million tokens \(config\)[\s\S]*Context window: 64,000 tokens/);
    assert.equal(router.rules.used.routes.has('fast'), false);
    await ask('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ text: text.replace('fastst', 'fastest').replace(', nowhere/m', '') }] });
    // A route of the settings is known, because the file holds beside them.
    assert.deepEqual(await diagnostics(), { uri, version: 2, diagnostics: [] });
    await ask('textDocument/didClose', { textDocument: { uri } });
    assert.deepEqual((await diagnostics()).diagnostics, []);
    assert.deepEqual(await ask('textDocument/completion', place), []);
    await close();
  });
});

describe('the rules file that the user chose', () => {
  const path = join(folder, 'chosen.yaml');

  test('holds beside the settings, is read again when it changes, and keeps what was readable', async () => {
    const { ask, router, close } = editor();
    writeFileSync(path, 'routes:\n  more: { targets: [relay/m, own] }\n');
    const { problems } = await ask<ConfigureResult>('waybill/configure', { ...settings, rulesFile: { path, workspaceFolders: [] } });
    assert.deepEqual(problems, []);
    assert.deepEqual([...router.rules.used.routes.keys()].sort(), ['more', 'own']);
    writeFileSync(path, 'routes:\n  newer: { targets: [relay/m] }\n');
    for (let tries = 0; tries < 200 && !router.rules.used.routes.has('newer'); tries += 1) await new Promise(resolve => setTimeout(resolve, 50));
    assert.deepEqual([...router.rules.used.routes.keys()].sort(), ['newer', 'own']);
    writeFileSync(path, 'routes: [\n');
    const broken = await ask<ConfigureResult>('waybill/configure', { ...settings, rulesFile: { path, workspaceFolders: [] } });
    assert.match(broken.problems[0]?.message ?? '', /not valid YAML/);
    assert.deepEqual([...router.rules.used.routes.keys()].sort(), ['newer', 'own']);
    await close();
  });

  test('is not used in an open folder, through a link to one either, nor with an endpoint of its own', async () => {
    const { ask, router, close } = editor();
    const project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'waybill.yaml'), 'endpoints:\n  relay: { provider: openai-compatible, baseUrl: "https://evil.example" }\nroutes:\n  own: { targets: [relay/evil] }\n');
    symlinkSync(join(project, 'waybill.yaml'), join(folder, 'link.yaml'));
    for (const chosen of [join(project, 'waybill.yaml'), join(folder, 'link.yaml')]) {
      const { problems } = await ask<ConfigureResult>('waybill/configure', { ...settings, rulesFile: { path: chosen, workspaceFolders: [project] } });
      assert.match(problems[0]?.message ?? '', /is in the open folder .* must not decide where prompts go/);
      assert.deepEqual(router.rules.used.routes.get('own')?.targets, [{ endpoint: 'relay', model: 'm' }]);
    }
    const { problems } = await ask<ConfigureResult>('waybill/configure', { ...settings, rulesFile: { path: join(project, 'waybill.yaml'), workspaceFolders: [] } });
    assert.match(problems.map(({ message }) => message).join('\n'), /Endpoints of this file are not used/);
    assert.equal(router.rules.used.endpoints.get('relay')?.baseUrl, 'https://relay.example/v1');
    for (const wrong of ['rules.yaml', join(folder, 'missing.yaml')]) {
      assert.equal((await ask<ConfigureResult>('waybill/configure', { ...settings, rulesFile: { path: wrong, workspaceFolders: [] } })).problems.length, 1);
    }
    await close();
  });

  test('has caps, which hold while it has a mistake and when it is gone', async () => {
    const { ask, router, close } = editor();
    const rulesFile = { path, workspaceFolders: [] };
    const capped = (): unknown => router.rules.used.caps?.limits;
    const configure = async (text: string): Promise<string> => {
      writeFileSync(path, text);
      return (await ask<ConfigureResult>('waybill/configure', { ...settings, caps: { sessionUsd: 5 }, rulesFile })).problems.map(({ message }) => message).join('\n');
    };
    const both = [{ scope: 'turn', microUsd: 1_000_000 }, { scope: 'session', microUsd: 5_000_000 }];
    assert.equal(await configure('caps: { turnUsd: 1 }\n'), '');
    assert.deepEqual(capped(), both);
    assert.match(await configure('caps: { turnUsd: one }\n'), /^The caps of everything: "turnUsd" must be .* those from before hold \(\$1 for a turn, \$5 for a session\)\.$/);
    assert.deepEqual(capped(), both);
    await configure('caps: { turnUsd: 1 }\n');
    rmSync(path);
    const gone = await ask<ConfigureResult>('waybill/configure', { ...settings, caps: { sessionUsd: 5 }, rulesFile });
    assert.match(gone.problems[0]?.message ?? '', /cannot be read \(ENOENT\).* Until then its caps still hold\.$/);
    assert.deepEqual(capped(), both);
    await close();
  });

  test('and the settings have their versions, to compare with and to return to', async () => {
    const { ask, close } = editor();
    writeFileSync(path, 'routes:\n  more: { targets: [relay/m] }\n');
    const rulesFile = { path, workspaceFolders: [] };
    const [equivalents, caps] = [{ m: ['n'] }, { turnUsd: 1 }];
    await ask('waybill/configure', { ...settings, rulesFile, equivalents, caps });
    await ask('waybill/configure', { ...settings, rulesFile, routes: { own: { targets: ['relay/other'] } } });
    const versions = await ask<RuleVersion[]>('waybill/ruleVersions', {});
    // The settings and their file are written down within one moment, in either order.
    const before = versions.find(({ latest }) => !latest);
    const chosen = versions.find(({ file }) => file !== undefined);
    const latest = versions.find(one => one.latest && one.file === undefined);
    assert.deepEqual([latest, before, chosen].map(one => [one?.file, one?.latest, one?.routes]), [[undefined, true, 1], [undefined, false, 1], [path, true, 1]]);
    assert.equal(versions.length, 3);
    const old = await ask<RuleVersionResult>('waybill/ruleVersion', { id: before?.id });
    assert.ok('kind' in old && old.kind === 'settings');
    assert.deepEqual([old.settings.equivalents, old.settings.caps], [equivalents, caps]);
    assert.deepEqual([old.settings.routes, old.now.includes('relay/other')], [{ own: { targets: ['relay/m'] } }, true]);
    const ofFile = await ask<RuleVersionResult>('waybill/ruleVersion', { id: chosen?.id, fileNow: 'endpoints:\n  a: { provider: openai, keys: ["x"] }\nroutes: {}\n' });
    assert.ok('kind' in ofFile && ofFile.kind === 'file');
    assert.equal(ofFile.file, 'endpoints:\n  a: { provider: openai, keys: ["x"] }\nroutes:\n  more: { targets: [relay/m] }\n');
    assert.ok(!ofFile.now.includes('keys'));
    assert.ok('refused' in await ask<RuleVersionResult>('waybill/ruleVersion', { id: 'gone' }));
    await close();
  });
});
