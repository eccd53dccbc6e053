import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import { agentTools, inputSchemaOf } from '../../../../server/api/agents/agentTools.ts';
import { readManifest } from '../../support/manifest.ts';

interface Tool { prepareInvocation(options: object): { invocationMessage: string; confirmationMessages?: object }; invoke(options: { input?: object }, token: object): Promise<{ content: { value: string }[] }> }
interface Host { registerTool?: unknown; registerMcpServerDefinitionProvider?: unknown }
interface Contributed { name: string; toolReferenceName: string; canBeReferencedInPrompt: boolean; displayName: string; userDescription: string; modelDescription: string; icon: string; when: string; inputSchema: object }

const editor = `data:text/javascript,
export const lm = globalThis.languageModels;
export const commands = { executeCommand: async (...given) => { globalThis.contexts.push(given.join(' ')); } };
export class EventEmitter { fire() { globalThis.offersChanged += 1; } dispose() {} }
export class Disposable { constructor(end) { this.dispose = end; } static from(...all) { return new Disposable(() => { for (const one of all) one.dispose(); }); } }
export class CancellationError extends Error { name = 'Canceled'; }
export class LanguageModelToolResult { constructor(content) { this.content = content; } }
export class LanguageModelTextPart { constructor(value) { this.value = value; } }
export class McpStdioServerDefinition { constructor(label, command, args) { Object.assign(this, { label, command, args }); } }
export const Uri = { joinPath: () => ({ fsPath: 'server.js' }) };`.replaceAll('\n', '');

/** The editor and what is registered there. */
class Editor {
  readonly tools = new Map<string, Tool>();
  offers: (() => { label: string }[]) | undefined;
  readonly tool = (name: string, tool: Tool) => {
    assert.ok(!this.tools.has(name), `${name} is registered once at a time`);
    this.tools.set(name, tool);
    return { dispose: () => this.tools.delete(name) };
  };

  readonly servers = (_: string, { provideMcpServerDefinitions }: { provideMcpServerDefinitions(): { label: string }[] }) => {
    this.offers = provideMcpServerDefinitions;
    return { dispose: () => undefined };
  };
}

let loaded = 0;
/** What the editors were told for their conditions. */
let contexts: string[] = [];

/** The code of the client in an editor whose `vscode.lm` has these functions. */
async function inEditor(lm: Host | undefined, enabled: boolean, answer: (params: { name: string; input: object }, token: object) => Promise<object> = () => Promise.resolve({ text: '' })) {
  contexts = [];
  Object.assign(globalThis, { languageModels: lm, offersChanged: 0, contexts });
  loaded += 1;
  // Each editor has a module of its own.
  const url = `${editor}//${String(loaded)}`;
  const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url, shortCircuit: true } : next(name, context)) });
  const { registerAgentTools } = await import(`../../../../client/chat/agentTools.ts?${String(loaded)}`) as typeof import('../../../../client/chat/agentTools.ts');
  hooks.deregister();
  let changed: () => void = () => undefined;
  const configuration = { settings: { agentTools: enabled }, onDidChange: (listener: () => void) => { changed = listener; return { dispose: () => { changed = () => undefined; } }; } };
  const registered = registerAgentTools({ agentTool: answer } as never, configuration as never, { extensionUri: {}, globalStorageUri: { fsPath: '/data' }, extension: { packageJSON: { version: '1' } } } as never);
  return { registered, set(on: boolean) { configuration.settings.agentTools = on; changed(); } };
}

const names = Object.keys(agentTools);
const running = { isCancellationRequested: false };

describe('the tools for agents of the editor', () => {
  it('are there while the setting is on, and not before or after', async () => {
    const host = new Editor();
    const { registered, set } = await inEditor({ registerTool: host.tool }, false);
    assert.deepEqual([...host.tools.keys()], []);
    set(true);
    set(true);
    assert.deepEqual([...host.tools.keys()], names);
    set(false);
    assert.deepEqual([...host.tools.keys()], []);
    set(true);
    registered?.dispose();
    assert.deepEqual([...host.tools.keys()], []);
    set(true);
    assert.deepEqual([...host.tools.keys()], [], 'a window that closes registers nothing');
  });

  it('are not offered a second time as a server, which an editor without such tools gets', async () => {
    const both = new Editor();
    await inEditor({ registerTool: both.tool, registerMcpServerDefinitionProvider: both.servers }, true);
    assert.deepEqual([[...both.tools.keys()], both.offers, contexts], [names, undefined, []]);
    const older = new Editor();
    const { set } = await inEditor({ registerMcpServerDefinitionProvider: older.servers }, true);
    assert.deepEqual([older.offers?.().map(({ label }) => label), contexts], [['Waybill'], ['setContext waybill.offersMcpServer true']]);
    assert.deepEqual(readManifest<{ contributes: { mcpServerDefinitionProviders: { when: string }[] } }>().contributes.mcpServerDefinitionProviders.map(({ when }) => when), ['waybill.offersMcpServer']);
    set(false);
    assert.deepEqual([older.offers?.(), (globalThis as { offersChanged?: number }).offersChanged], [[], 1]);
    for (const without of [{}, undefined]) assert.equal((await inEditor(without, true)).registered, undefined);
  });

  it('pass arguments on, and give the text to the model', async () => {
    const host = new Editor();
    const asked: object[] = [];
    await inEditor({ registerTool: host.tool }, true, params => {
      asked.push(params);
      return Promise.resolve({ text: 'Spend today: $1.' });
    });
    const result = await host.tools.get('waybill_spend')?.invoke({ input: { range: '7d' } }, running);
    assert.deepEqual([asked, result?.content.map(({ value }) => value)], [[{ name: 'waybill_spend', input: { range: '7d' } }], ['Spend today: $1.']]);
  });

  it('end with an error that the model can read where there is no result, and as cancelled where the turn was stopped', async () => {
    const host = new Editor();
    const token = { isCancellationRequested: false };
    await inEditor({ registerTool: host.tool }, true, ({ input }) => {
      if (!('stop' in input)) return Promise.resolve({ text: 'Give task.', isError: true });
      token.isCancellationRequested = true;
      return 'late' in input ? Promise.resolve({ text: 'too late' }) : Promise.reject(new Error('The connection says: cancelled.'));
    });
    const tool = host.tools.get('waybill_suggest') ?? assert.fail();
    await assert.rejects(tool.invoke({ input: {} }, running), /^Error: Give task\.$/);
    await assert.rejects(tool.invoke({ input: { stop: true } }, token), { name: 'Canceled' });
    await assert.rejects(tool.invoke({ input: { stop: true, late: true } }, token), { name: 'Canceled' });
  });

  it('say what they do while they run, and ask for no confirmation, for they change nothing', async () => {
    const host = new Editor();
    await inEditor({ registerTool: host.tool }, true);
    const shown = names.map(name => host.tools.get(name)?.prepareInvocation({ input: {} }));
    assert.equal(new Set(shown.map(one => one?.invocationMessage)).size, names.length);
    for (const one of shown) assert.deepEqual(Object.keys(one ?? {}), ['invocationMessage']);
  });

  it('are contributed by package.json as the table has them: run `npm run settings`', () => {
    const { contributes } = readManifest<{ contributes: { languageModelTools: Contributed[] } }>();
    assert.deepEqual(contributes.languageModelTools.map(({ name, modelDescription, inputSchema }) => ({ name, modelDescription, inputSchema })),
      Object.entries(agentTools).map(([name, tool]) => ({ name, modelDescription: tool.description, inputSchema: JSON.parse(JSON.stringify(inputSchemaOf(tool))) as object })));
    for (const tool of contributes.languageModelTools) {
      assert.deepEqual([tool.canBeReferencedInPrompt, tool.when], [true, 'config.waybill.agentTools.enabled'], tool.name);
      assert.match(tool.toolReferenceName, /^waybill[A-Z][a-z]+$/);
      assert.match(tool.icon, /^\$\([a-z-]+\)$/);
      assert.match(tool.displayName, /^Waybill: /);
      assert.ok(tool.userDescription !== '' && !tool.userDescription.startsWith('%'), tool.name);
    }
  });
});
