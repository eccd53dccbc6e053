import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from 'vscode-languageserver';
import { agentTools } from '../../../../server/api/agents/agentTools.ts';
import { agentToolRequest, type AgentToolAnswer } from '../../../../server/api/agents/agentToolMessages.ts';
import { EditorConnection } from '../../../../server/inbound/lsp/editorConnection.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { agentToolsFeature } from '../../../../server/inbound/lsp/features/agentTools.ts';
import type { FeatureContext } from '../../../../server/inbound/lsp/features/feature.ts';
import { McpServer } from '../../../../server/inbound/mcp/mcpServer.ts';
import { routerSource } from '../../../../server/inbound/mcp/routerSource.ts';
import type { Router } from '../../../../server/router/router.ts';
import { LedgerUnavailableError } from '../../../../server/ledger/ledgerUnavailable.ts';
import { emptyStatus, endpoint } from '../../client/fakes.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt, exact, noon } from '../../ledger/receipts.ts';

const token = { isCancellationRequested: false, onCancellationRequested: () => ({ dispose: () => undefined }) };
const off = { status: () => ({ state: 'off' as const }) };

function routerWith(changes: object = {}): { router: Router; errors: unknown[] } {
  const ledger = new InMemoryLedger();
  ledger.close(aReceipt('x-1', { message: 'Nothing could answer "my secret prompt".', attempts: [anAttempt({ cost: exact(4_000) })] }));
  const errors: unknown[] = [];
  const status = emptyStatus({ endpoints: [endpoint('north')] });
  return {
    errors,
    router: {
      log: { ...silentLog, error: (...told: unknown[]) => errors.push(told) }, clock: { now: () => noon + 10_000 }, spend: (range: never) => ledger.spend(range),
      find: ({ filter, limit, after }: { filter: object; limit: number; after?: never }) => ledger.find(filter, limit, after), receipt: (id: string) => ledger.receipt(id),
      status: () => status, statusOfReplicas: () => Promise.resolve(status), tryRoute: () => assert.fail(), ...changes,
    } as unknown as Router,
  };
}

/** What the editor is answered. */
function asking(router: Router): (name: string, input?: unknown) => Promise<AgentToolAnswer> {
  let handle: ((params: object, token: object) => Promise<AgentToolAnswer>) | undefined;
  const connection = { onRequest: (method: string, given: typeof handle) => { if (method === agentToolRequest.method) handle = given; } };
  agentToolsFeature.register({ editor: new EditorConnection(connection as unknown as Connection, silentLog), router, localEndpoint: off } as unknown as FeatureContext);
  return (name, input) => handle?.({ name, input }, token) ?? assert.fail();
}

test('a tool answers as the Model Context Protocol does, whatever it is asked', async () => {
  const { router } = routerWith();
  const ask = asking(router);
  const server = new McpServer({ source: routerSource(router, off.status), version: '1', failed: error => assert.fail(String(error)) });
  const inputs = [{}, { range: '30d', by: 'endpoint' }, { request: 'x-1' }, { nothing: 1 }, { task: 'Rename a variable' }];
  for (const name of Object.keys(agentTools)) {
    for (const input of inputs) {
      const { text } = await server.answer(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } }));
      const { result } = JSON.parse(text ?? '') as { result: { content: { text: string }[]; isError?: true } };
      assert.deepEqual(await ask(name, input), { text: result.content.map(part => part.text).join('\n'), ...(result.isError === undefined ? {} : { isError: true }) }, `${name} ${JSON.stringify(input)}`);
    }
  }
  assert.match((await ask('waybill_spend')).text, /^Spend today: \$0\.004/);
  assert.match((await ask('waybill_health')).text, /north/);
  assert.doesNotMatch((await ask('waybill_why')).text, /secret/);
});

test('a tool says what keeps it from an answer, and nothing of an error of its own but that there was one', async () => {
  const sentence = new LedgerUnavailableError('The ledger cannot be read now: try again.');
  assert.deepEqual(await asking(routerWith({ spend: () => Promise.reject(sentence) }).router)('waybill_spend'), { text: 'The ledger cannot be read now: try again.', isError: true });
  const broken = routerWith({ spend: () => Promise.reject(new Error('/home/person/ledger')) });
  assert.deepEqual(await asking(broken.router)('waybill_spend'), { text: 'Waybill failed at this tool; its log says more.', isError: true });
  assert.equal(broken.errors.length, 1);
  for (const name of ['toString', 'waybill_other']) assert.deepEqual(await asking(broken.router)(name), { text: `There is no tool "${name}".`, isError: true });
});

test('a tool that is called without arguments takes its defaults', async () => {
  for (const input of [undefined, null, 'text']) assert.match((await asking(routerWith().router)('waybill_spend', input)).text, /^Spend today: /);
});
