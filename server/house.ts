import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { HttpStatus } from './api/status.ts';
import { systemClock } from './base/clock.ts';
import { Guard, safeLog } from './base/guarded.ts';
import type { Log } from './base/log.ts';
import { createLog, SecretRegister } from './base/redact.ts';
import { Yard } from './exchange/yard.ts';
import { TokenCheck } from './faces/http/access.ts';
import { HttpFace } from './faces/http/httpFace.ts';
import { InfoRoutes } from './faces/http/infoRoutes.ts';
import { PortHolder } from './faces/http/portHolder.ts';
import { localToken } from './faces/http/tokenFile.ts';
import { ToolTokens } from './faces/http/toolTokens.ts';
import { keepHeapSmall } from './thriftyHeap.ts';
import { createPricer } from './ledger/pricing.ts';
import { openLedger } from './ledger/sqliteLedger.ts';
import { keyMarks } from './upstream/keyMarks.ts';
import { ModelCache } from './upstream/modelCache.ts';

/** The rooms of one server process, built and connected. */
export interface House {
  yard: Yard;
  log: Log;
  port: PortHolder;
  /** Tokens of single tools, shared by all windows. */
  tools: ToolTokens;
  /** Ends everything in order; doing so twice is safe. */
  close(): Promise<void>;
}

export interface HouseOptions {
  dataDir: string;
  instanceId: string;
  writeLog(level: 'debug' | 'info' | 'warn' | 'error', line: string): void;
  /** The state of the local endpoint changed. */
  portChanged(): void;
  /** After this much silence a streaming caller gets a keep-alive, in milliseconds. */
  keepAliveMs?: number | undefined;
}

/** Builds the rooms. @throws LedgerTooNewError, or an Error in one sentence when the data folder cannot be used */
export function buildHouse(options: HouseOptions): House {
  makeDataDir(options.dataDir);
  const register = new SecretRegister();
  const log = safeLog(createLog(options.writeLog, register));
  const pricer = createPricer({ log });
  const ledger = openLedger({ dataDir: options.dataDir, clock: systemClock, log, instanceId: options.instanceId });
  const { token, file } = localToken(options.dataDir);
  const tools = new ToolTokens(options.dataDir);
  const yard = new Yard({
    ledger, pricer, register, clock: systemClock, random: Math.random, log, keyMark: keyMarks(options.dataDir), modelCache: new ModelCache(join(options.dataDir, 'models.json')),
    keepAliveMs: options.keepAliveMs,
  });
  const info = new InfoRoutes({ yard, http: (): HttpStatus => port.status });
  const face = new HttpFace({ yard, token: new TokenCheck(token, tools), log, info });
  const port: PortHolder = new PortHolder(face.server, file, log, new Guard('The report of the local endpoint', log).wrap(options.portChanged));
  const heap = keepHeapSmall();
  let closing: Promise<void> | undefined;
  return {
    yard, log, port, tools,
    close() {
      closing ??= (async () => {
        heap.dispose();
        port.close();
        await yard.shutdown();
        // The last words to callers are on their way once the loop has come round.
        await new Promise(resolve => setImmediate(resolve));
        port.release();
      })();
      return closing;
    },
  };
}

/** Makes the data folder if it is missing. @throws Error that says in one sentence why it cannot be used */
function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new Error(`The data folder ${dataDir} cannot be used: ${dataDirTrouble(dataDir, error)}.`, { cause: error });
  }
}

function dataDirTrouble(dataDir: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EEXIST': return statSync(dataDir, { throwIfNoEntry: false }) === undefined ? 'it is a link that leads nowhere' : 'it is a file';
    case 'ENOTDIR': return 'a part of its path is a file';
    case 'EACCES':
    case 'EPERM': return 'access is not allowed';
    case 'EROFS': return 'the file system is read-only';
    case 'ENOSPC': return 'the disk is full';
    default: return code ?? 'for an unknown reason';
  }
}

/** Where data lives when nobody said: the platform's place for user data. */
export function defaultDataDir(): string {
  if (process.platform === 'win32') return join(process.env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'Switchyard');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Switchyard');
  return join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'switchyard');
}
