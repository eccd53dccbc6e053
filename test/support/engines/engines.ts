import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { endedWithTests } from '../childProcesses.ts';
import { EngineProcess, type EngineProgram } from './engineProcess.ts';
import { folderOf, packages, postgresProgram, postgresUrl, prometheusProgram, queryPostgres, redisProgram, redisUrl, type EngineName } from './programs.ts';

/**
 * Why a test of these engines is left out, for `skip`; false: they are installed.
 * @throws where WAYBILL_ENGINES=required says that they have to be there, as the check on a clean clone does
 */
export function missingEngine(...engines: EngineName[]): string | false {
  const missing = engines.filter(engine => folderOf(engine) === undefined).map(engine => packages[engine]);
  if (missing.length === 0) return false;
  const reason = `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not installed (apt-get install ${missing.join(' ')})`;
  if (process.env['WAYBILL_ENGINES'] === 'required') throw new Error(`${reason}, and WAYBILL_ENGINES=required says that no test may be left out.`);
  return reason;
}

const folders = new Set<string>();
// Processes have been killed before: their hook is registered first.
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
});

async function started(program: EngineProgram, name: string): Promise<EngineProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), `waybill-${name}-`));
  folders.add(folder);
  const engine = new EngineProcess(program, folder, child => { endedWithTests(child); });
  await engine.create();
  return engine;
}

/** An engine of one test file, with its address. It ends with the test file at the latest. */
export type TestEngine = EngineProcess & { readonly url: string };

/** A Redis of its own. It keeps what it has answered over `kill` and `start`, until `empty`. @param lines more lines of its configuration */
export async function startRedis(lines: readonly string[] = []): Promise<TestEngine> {
  const engine = await started(redisProgram(lines), 'redis');
  return Object.assign(engine, { url: redisUrl(engine.folder, engine.port) });
}

/** A PostgreSQL of its own, and its own client. */
export async function startPostgres(): Promise<TestEngine & { query(sql: string): string[][] }> {
  const engine = await started(postgresProgram, 'postgres');
  return Object.assign(engine, { url: postgresUrl(engine.folder, engine.port), query: (sql: string) => queryPostgres(engine.folder, engine.port, sql) });
}

/** A Prometheus of its own. @param configuration YAML; relative files in it are those of `files` */
export async function startPrometheus(configuration: string, files?: Readonly<Record<string, string>>): Promise<TestEngine> {
  const engine = await started(prometheusProgram(configuration, files), 'prometheus');
  return Object.assign(engine, { url: `http://127.0.0.1:${String(engine.port)}` });
}
