import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { LedgerSettings } from '../../../server/api/ledger/ledgerSettings.ts';
import type { MonitoringSettings } from '../../../server/api/monitoring/monitoringSettings.ts';
import type { EndpointSettings, RouteSettings, ToolModelSettings } from '../../../server/api/settings.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { loadYamlConfig } from '../../../server/config/yamlFile.ts';
import { createRouterProcess, type RouterProcess } from '../../../server/app/routerProcess.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import { LogSink } from './logSink.ts';
import { temporaryFolder } from './temporaryFolder.ts';

export interface TestRouterOptions {
  endpoints: Record<string, EndpointSettings>;
  routes?: Record<string, RouteSettings> | undefined;
  tools?: Record<string, ToolModelSettings> | undefined;
  monitoring?: MonitoringSettings | undefined;
  ledger?: LedgerSettings | undefined;
  /** What `${NAME}` in the endpoints' keys stands for. */
  environment?: Record<string, string> | undefined;
  /** How often silence is filled for streaming callers, in milliseconds; default: as the server does. Not changed by `configure`. */
  keepAliveMs?: number | undefined;
}

/** A whole server in this process, with its HTTP endpoint open on a port of its own. */
export interface TestRouter {
  readonly testRouter: RouterProcess;
  readonly url: string;
  readonly token: string;
  readonly dataDir: string;
  readonly log: LogSink;
  /** Adopts another configuration, as a changed file would. */
  configure(options: TestRouterOptions): Promise<void>;
  receipt(exchangeId: string): Promise<Receipt>;
  status(): Promise<StatusSnapshot>;
  /** Ends the server and removes its folder; fails when it logged unexpected errors. */
  close(): Promise<void>;
}

/** Builds the rooms as the headless server does: the configuration goes through a file and its parser. */
export async function startTestRouter(options: TestRouterOptions): Promise<TestRouter> {
  const { folder, remove } = temporaryFolder();
  const log = new LogSink();
  let opened: (() => void) | undefined;
  const listening = new Promise<void>(resolve => (opened = resolve));
  const testRouter = createRouterProcess({
    dataDir: folder, instanceId: 'test', keepAliveMs: options.keepAliveMs, writeLog: (level, line) => log.write(level, line),
    portChanged: () => {
      if (testRouter.port.status.state === 'listening') opened?.();
    },
  });
  const configFile = path.join(folder, 'waybill.yaml');
  const configure = async ({ endpoints, routes, tools, monitoring, ledger, environment }: TestRouterOptions): Promise<void> => {
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify({ endpoints, routes: routes ?? {}, ...(tools === undefined ? {} : { tools }), ...(monitoring === undefined ? {} : { monitoring }), ...(ledger === undefined ? {} : { ledger }) }, undefined, 1));
    const { config, keys, problems } = await loadYamlConfig(configFile, environment ?? {}, { catalog: { providers, findProvider }, supportedProtocols });
    if (problems.length > 0) throw new Error(`the test's configuration is wrong: ${JSON.stringify(problems)}`);
    testRouter.router.configure(config, keys, problems);
  };
  await configure(options);
  testRouter.port.hold(0);
  await listening;
  const url = testRouter.port.status.url ?? '';
  const token = readFileSync(testRouter.port.status.tokenFile ?? '', 'utf8').trim();
  const getJson = async (route: string): Promise<unknown> => {
    const response = await fetch(url + route, { headers: { authorization: `Bearer ${token}` } });
    if (response.status !== 200) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    testRouter, url, token, dataDir: folder, log, configure,
    receipt: async id => await getJson(`/waybill/exchanges/${id}`) as Receipt,
    status: async () => await getJson('/waybill/status') as StatusSnapshot,
    async close() {
      await testRouter.close();
      remove();
      log.assertQuiet();
    },
  };
}
