/**
 * `npm run engines`: Redis, PostgreSQL and Prometheus on this machine alone, with nothing stored, until Ctrl-C. `-- redis postgres` starts some of
 * them; `-- --scrape 127.0.0.1:7718` says whose metrics Prometheus reads, once for each server.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { untilInterrupted } from './demonstration.mjs';
import { EngineProcess } from '../test/support/engines/engineProcess.ts';
import { folderOf, packages, postgresProgram, postgresUrl, prometheusProgram, redisProgram, redisUrl } from '../test/support/engines/programs.ts';
import { bold } from './terminal.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { scrape: { type: 'string', multiple: true, default: ['127.0.0.1:7717'] } } });

const engines = {
  redis: { program: redisProgram, shown: ({ folder, port }) => `REDIS_URL=${redisUrl(folder, port)}` },
  postgres: { program: postgresProgram, shown: ({ folder, port }) => `DATABASE_URL=${postgresUrl(folder, port)}` },
  prometheus: { program: prometheusProgram(values.scrape), shown: ({ port }) => `# Prometheus: http://127.0.0.1:${port} reads ${values.scrape.join(', ')}` },
};

/** The engines to start: those that are named, or those that are installed. */
function chosenEngines() {
  const unknown = positionals.filter((name) => !Object.hasOwn(engines, name));
  if (unknown.length > 0) throw new Error(`There is no engine ${unknown.join(', ')}; there are ${Object.keys(engines).join(', ')}.`);
  const wanted = Object.keys(engines).filter((name) => positionals.length === 0 || positionals.includes(name));
  const missing = wanted.filter((name) => folderOf(name) === undefined);
  const chosen = wanted.filter((name) => !missing.includes(name));
  const missed = `Not installed: ${missing.map((name) => packages[name]).join(', ')}. Install with: apt-get install ${missing.map((name) => packages[name]).join(' ')}`;
  if (missing.length > 0 && (chosen.length === 0 || positionals.length > 0)) throw new Error(missed);
  if (missing.length > 0) console.error(missed);
  return chosen;
}

const chosen = chosenEngines();
const interrupted = untilInterrupted();
const started = [];
try {
  for (const name of chosen) {
    const engine = new EngineProcess(engines[name].program, mkdtempSync(path.join(tmpdir(), `waybill-${name}-`)), () => undefined);
    started.push(engine);
    await engine.create();
    console.log(engines[name].shown(engine));
  }
  console.log(bold('Press Ctrl-C to end them; what they hold is deleted then.'));
  await interrupted;
} finally {
  for (const engine of started) await engine.stop().then(() => engine.close());
}
