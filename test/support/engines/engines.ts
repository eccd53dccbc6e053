import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { endedWithTests } from '../childProcesses.ts';
import { EngineProcess, type EngineProgram } from './engineProcess.ts';
import { notInstalled, postgresProgram, postgresUrl, queryPostgres, type EngineName } from './programs.ts';

/**
 * Why a test of these engines is left out, for `skip`; false: they are installed.
 * @throws where WAYBILL_ENGINES=required says that they have to be there, as the check on a clean clone does
 */
export function missingEngine(...engines: EngineName[]): string | false {
  const reason = notInstalled(engines)?.sentence;
  if (reason === undefined) return false;
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

/** A PostgreSQL of its own, with its address and its own client. It ends with the test file at the latest. */
export async function startPostgres(): Promise<EngineProcess & { readonly url: string; query(sql: string): string[][] }> {
  const engine = await started(postgresProgram, 'postgres');
  return Object.assign(engine, { url: postgresUrl(engine.folder, engine.port), query: (sql: string) => queryPostgres(engine.folder, engine.port, sql) });
}
