import { join, resolve } from 'node:path';
import type { HttpStatus } from '../api/status.ts';
import { systemClock } from '../base/clock.ts';
import { Guard, safeLog } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import { createLog, SecretRegister } from '../base/secrets/redact.ts';
import type { CompiledParts } from './compiledParts.ts';
import { alertsFolder, closeToOthers, endpointsFolder, makeDataDir, stopsFolder, noticesFolder, rulesFolder, setAsideMisplaced } from './dataFolder.ts';
import { TokenCheck } from '../inbound/http/auth/access.ts';
import { HttpServer } from '../inbound/http/httpServer.ts';
import { PortLease } from '../inbound/http/portLease.ts';
import { PortNote } from '../inbound/http/servedPorts.ts';
import { localToken } from '../inbound/http/auth/tokenFile.ts';
import { ToolTokens } from '../inbound/http/auth/toolTokens.ts';
import { createRouter, type BuiltRouter } from './createRouter.ts';
import { HeapTuning } from './v8Tuning.ts';
import { createAllowanceStore } from '../ledger/sqlite/allowances/allowanceDatabase.ts';
import { createTokenStore } from '../ledger/sqlite/access/tokenDatabase.ts';
import { createCanaryStore, createShadowStore } from '../ledger/sqlite/onDemand/routeStates.ts';
import { createLimitStore } from '../ledger/sqlite/limitsDatabase.ts';
import { writtenRules } from '../config/yamlFile.ts';
import { createPricer } from '../pricing/pricing.ts';
import { openLedger } from '../ledger/sqlite/sqliteLedger.ts';
import { PeerStops } from '../router/peerStops.ts';
import { EndpointFiles } from '../router/endpoints/endpointFiles.ts';
import { RuleVersions } from '../router/rules/ruleVersions.ts';
import type { ExchangePublisher } from '../exchange/publisher.ts';
import { keyFingerprints } from '../keys/keyFingerprints.ts';
import { ModelCache } from '../models/modelCache.ts';

/** So long after the first exchange the functions that serve requests are compiled, and V8 has not dropped any yet. Then, and as long again after each look, the process may be too busy. */
const keepCompiledEveryMs = 5_000;
/** A process is busy whose event loop runs for more than this share of the time. */
const quietUtilization = 0.1;

/** One server process: the router, and the local endpoint through which other programs reach it. */
export interface RouterProcess extends BuiltRouter {
  log: Log;
  port: PortLease;
  /** Answers what comes to the local endpoint, and to other addresses. */
  httpServer: HttpServer;
  /** Tokens of single tools, shared by all processes of the data folder. */
  tools: ToolTokens;
  /** Ends everything in order; doing so twice is safe. */
  close(): Promise<void>;
}

export interface RouterProcessOptions {
  dataDir: string;
  instanceId: string;
  /** What tells the window of the editor from others, also after a restart of the server; absent: nothing does. */
  window?: string | undefined;
  writeLog(level: 'debug' | 'info' | 'warn' | 'error', line: string): void;
  /** Called when the state of the local endpoint has changed. */
  portChanged(): void;
  /** After this much silence a streaming caller gets a keep-alive, in milliseconds. */
  keepAliveMs?: number | undefined;
  /** The files of the bundle; absent: the server runs from its sources. */
  parts?: Pick<CompiledParts, 'keep' | 'flagsAreSetBy'> | undefined;
}

/** Opens the data folder and builds everything on it. @throws LedgerTooNewError, or an Error in one sentence when the data folder cannot be used */
export function createRouterProcess(options: RouterProcessOptions): RouterProcess {
  makeDataDir(options.dataDir);
  const register = new SecretRegister();
  const log = safeLog(createLog(options.writeLog, register));
  setAsideMisplaced(options.dataDir, systemClock.now(), log);
  const pricer = createPricer({ log });
  const ledger = openLedger({
    dataDir: options.dataDir, clock: systemClock, log, instanceId: options.instanceId,
    limits: createLimitStore({ dataDir: options.dataDir, instanceId: options.instanceId, clock: systemClock, log }),
  });
  const localEndpoint = localToken(options.dataDir);
  const tools = new ToolTokens(options.dataDir);
  const fingerprint = keyFingerprints(options.dataDir);
  const built = createRouter({
    ledger, pricer, register, clock: systemClock, random: Math.random, log, keyFingerprint: fingerprint, ledgerName: fingerprint('ledger'), modelCache: new ModelCache(join(options.dataDir, 'models.json')),
    keepAliveMs: options.keepAliveMs, canaryStore: createCanaryStore({ dataDir: options.dataDir, clock: systemClock, log }),
    shadowStore: createShadowStore({ dataDir: options.dataDir, clock: systemClock, log }),
    noticesFolder: join(options.dataDir, noticesFolder), alertsFolder: join(options.dataDir, alertsFolder), endpointFiles: new EndpointFiles(join(options.dataDir, endpointsFolder)), peerStops: new PeerStops(join(options.dataDir, stopsFolder)),
    ruleVersions: new RuleVersions(join(options.dataDir, rulesFolder)),
    allowanceStore: createAllowanceStore({ dataDir: options.dataDir, clock: systemClock, log }), window: options.window,
    tokenStore: createTokenStore({ dataDir: options.dataDir, clock: systemClock, log }),
  });
  const { router } = built;
  const httpServer = new HttpServer({ router, token: new TokenCheck(localEndpoint.token, tools, router.tokens.book), log, identityToken: localEndpoint.token, localEndpoint: (): HttpStatus => port.status });
  const note = new PortNote(options.dataDir);
  const noting = new Guard('The note of the port', log);
  const reported = new Guard('The report of the local endpoint', log).wrap(options.portChanged);
  const port: PortLease = new PortLease(httpServer.server, localEndpoint, log, () => {
    noting.run(() => { note.follow(port.status); });
    reported();
  });
  closeToOthers(options.dataDir, log);
  const heap = new HeapTuning();
  built.ticker.add(heap);
  const compiled = options.parts === undefined ? undefined : keepCompiled(options.parts, heap, built.events, log);
  let closing: Promise<void> | undefined;
  return {
    ...built, log, port, httpServer, tools,
    close() {
      closing ??= (async () => {
        compiled?.close();
        port.close();
        noting.run(() => { note.remove(); });
        await router.shutdown();
        // One event-loop turn, so that pending writes to callers are flushed.
        await new Promise(resolve => setImmediate(resolve));
        port.release();
      })();
      return closing;
    },
  };
}

/** Keeps the rules of a configuration file that came into use, as they are written. */
export async function keepVersion({ router }: RouterProcess, configFile: string): Promise<void> {
  const rules = await writtenRules(configFile);
  if (rules !== undefined) router.rules.keepVersion(rules, router.rules.used.routes.size, resolve(configFile));
}

/**
 * Keeps compiled code for later processes: after the first exchange of this one, once the process has little to do, or else at its end.
 * To serialize the code blocks the process for some ten milliseconds.
 */
function keepCompiled(parts: Pick<CompiledParts, 'keep' | 'flagsAreSetBy'>, heap: HeapTuning, events: ExchangePublisher, log: Log): { close(): void } {
  parts.flagsAreSetBy(heap);
  const guard = new Guard('The compiled code for later starts', log);
  let extent: 'start' | 'served' = 'start';
  let timer: NodeJS.Timeout | undefined;
  const first = events.subscribe({
    name: 'The compiled code for later starts',
    onEnded() {
      first.dispose();
      extent = 'served';
      let before = performance.eventLoopUtilization();
      timer = setInterval(guard.wrap(() => {
        const { utilization } = performance.eventLoopUtilization(before);
        before = performance.eventLoopUtilization();
        if (utilization > quietUtilization) return;
        clearInterval(timer);
        parts.keep(extent);
      }), keepCompiledEveryMs);
      timer.unref();
    },
  });
  return {
    close: () => {
      clearInterval(timer);
      guard.run(() => { parts.keep(extent); });
    },
  };
}
