import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from 'vscode-languageserver';
import * as accessMessages from '../../../../server/api/access/tokenAccess.ts';
import * as agentToolMessages from '../../../../server/api/agents/agentToolMessages.ts';
import * as budgetMessages from '../../../../server/api/budgets/budgetStatus.ts';
import * as canaryMessages from '../../../../server/api/canary.ts';
import * as endpointMessages from '../../../../server/api/endpoints/pause.ts';
import * as documentMessages from '../../../../server/api/rules/documents.ts';
import * as drillMessages from '../../../../server/api/drill.ts';
import * as shadowMessages from '../../../../server/api/shadow.ts';
import * as dryRunMessages from '../../../../server/api/rules/dryRun.ts';
import * as historyMessages from '../../../../server/api/rules/rulesHistory.ts';
import * as titleMessages from '../../../../server/api/ledger/keptTitles.ts';
import * as messages from '../../../../server/api/messages.ts';
import * as dashboardMessages from '../../../../server/api/reports/dashboard.ts';
import * as requestMessages from '../../../../server/api/reports/requestMessages.ts';
import * as reportMessages from '../../../../server/api/reports/reportMessages.ts';
import * as proposalMessages from '../../../../server/api/firstRun/proposedRoutes.ts';
import * as tryRouteMessages from '../../../../server/api/routes/tryRoute.ts';
import * as responseCacheMessages from '../../../../server/api/cache/responseCache.ts';
import { requestType } from '../../../../server/api/messageTypes.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { EditorConnection } from '../../../../server/inbound/lsp/editorConnection.ts';
import type { FeatureContext, LspFeature } from '../../../../server/inbound/lsp/features/feature.ts';
import { lspFeatures } from '../../../../server/inbound/lsp/features/table.ts';
import type { Router } from '../../../../server/router/router.ts';

/** A connection that keeps what is registered at it. */
class RecordingConnection {
  readonly handlers = new Map<string, (params: unknown) => unknown>();
  readonly registered: string[] = [];

  onRequest(method: string, handle: (params: unknown) => unknown): void {
    this.registered.push(method);
    this.handlers.set(method, handle);
  }

  onNotification(method: string): void {
    this.registered.push(method);
  }
}

function contextOf(connection: RecordingConnection, router: object): FeatureContext {
  return {
    editor: new EditorConnection(connection as unknown as Connection, silentLog), router: router as Router,
    localEndpoint: { status: () => ({ state: 'off' }), listen: () => undefined, check: () => Promise.resolve({ state: 'off' }) },
    tools: { connect: () => '', disconnect: () => undefined, names: () => [], tokenOf: () => undefined, bounded: new Set(), setBounded: () => undefined }, simulation: { addressed: endpoints => Promise.resolve({ endpoints, problems: [] }), endOthers: () => Promise.resolve() },
  };
}

/** Registering features uses no more of a router than its log and its events. */
const registrationRouter = { log: silentLog, onChange: () => ({ dispose: () => undefined }), onNotice: () => ({ dispose: () => undefined }) };

const toServer = [
  ...[...Object.values(messages), ...Object.values(drillMessages), ...Object.values(accessMessages), ...Object.values(agentToolMessages), ...Object.values(titleMessages), ...Object.values(budgetMessages), ...Object.values(canaryMessages), ...Object.values(endpointMessages), ...Object.values(responseCacheMessages), ...Object.values(documentMessages), ...Object.values(dryRunMessages), ...Object.values(historyMessages), ...Object.values(shadowMessages), ...Object.values(reportMessages), ...Object.values(requestMessages), ...Object.values(dashboardMessages), ...Object.values(tryRouteMessages), ...Object.values(proposalMessages)].flatMap(one => (typeof one === 'object' && 'kind' in one && one.kind === 'request' ? [one.method] : [])),
  messages.chatEventsHandledNotification.method, documentMessages.didOpenNotification.method, documentMessages.didChangeNotification.method, documentMessages.didCloseNotification.method,
];

test('every message from client to server is registered by exactly one feature, and nothing else is', () => {
  const connection = new RecordingConnection();
  for (const feature of lspFeatures) feature.register(contextOf(connection, registrationRouter));
  assert.deepEqual([...connection.registered].sort(), [...toServer].sort());
  assert.equal(new Set(lspFeatures.map(({ name }) => name)).size, lspFeatures.length);
});

test('a new feature is an object with one method: it registers its own messages and answers them', () => {
  const echo = requestType<{ text: string }, string>('toy/echo');
  const toy: LspFeature = {
    name: 'toy',
    register({ editor, router }) {
      editor.onRequest(echo, ({ text }) => `${router.newId()}: ${text}`);
      return undefined;
    },
  };
  const connection = new RecordingConnection();
  toy.register(contextOf(connection, { newId: () => 'x' }));
  assert.equal(connection.handlers.get('toy/echo')?.({ text: 'hello' }), 'x: hello');
});

test('a tool whose bounds are lost is shown as one that may do nothing', () => {
  const connection = new RecordingConnection();
  const kept = { id: 'codex', kind: 'tool', name: 'codex', createdAt: 1, routes: ['best'], models: 'all' };
  const book = { refresh: () => undefined, all: () => [kept], of: (id: string) => (id === 'codex' ? kept : undefined) };
  const context = contextOf(connection, { ...registrationRouter, tokens: { book } });
  const tools = { ...context.tools, names: () => ['aider', 'codex', 'goose'], bounded: new Set(['aider', 'codex']) };
  for (const feature of lspFeatures) feature.register({ ...context, tools });
  const known = connection.handlers.get(accessMessages.toolAccessRequest.method)?.({}) as accessMessages.ToolAccess[];
  assert.deepEqual(known.map(({ id, routes, models }) => [id, routes, models]), [['codex', ['best'], 'all'], ['aider', [], []]]);
});
