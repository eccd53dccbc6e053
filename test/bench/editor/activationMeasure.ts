import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stop } from '../childProcess.ts';
import { rotated, type Bench, type Measure } from '../measure.ts';
import type { ActivationReport } from './activationHost.ts';

const host = path.join(import.meta.dirname, 'activationHost.ts');
const mostMs = 50;
/** Fewer are no activation: the palette alone has more. */
const fewestCommands = 50;

type Activated = 'pass-through' | 'waybill' | 'earlier';

/**
 * What the extension costs the editor's extension host when a window opens, beside an extension that does nothing: processor time of
 * the host's one thread, in a process of its own for each activation. The server that it starts is a script that only waits.
 */
export const activationMeasure: Measure = {
  name: 'activation',
  rows: {
    'activation': { title: 'activation: CPU of the extension host\'s thread', unit: 'ms', target: { most: mostMs } },
    'activation load': { title: 'of which loading', unit: 'ms' },
    'activation whole': { title: 'with the start of the server and what speaks to it', unit: 'ms' },
  },
  async run(bench) {
    const folder = bench.starter.newFolder('activation');
    const waiting = path.join(folder, 'dist', 'server.js');
    bench.starter.newFolder(path.join('activation', 'dist'));
    writeFileSync(waiting, 'setInterval(() => {}, 1e6); process.on(\'disconnect\', () => process.exit(0));\n');
    const empty = path.join(folder, 'empty.cjs');
    writeFileSync(empty, 'const vscode = require(\'vscode\'); exports.activate = context => { context.subscriptions.push(vscode.commands.registerCommand(\'empty.hello\', () => {})); };\n');
    const client = (server: string): string => path.join(path.dirname(server), 'client.js');
    const files: Record<Activated, string | undefined> = { 'pass-through': empty, 'waybill': client(bench.starter.serverFile), 'earlier': bench.starter.earlierFile === undefined ? undefined : client(bench.starter.earlierFile) };
    for (let index = 0; index < bench.amounts.startsPerRound; index++) {
      for (const name of rotated(['pass-through', 'waybill', 'earlier'] as const, index + bench.round)) {
        const file = files[name];
        if (file === undefined || !existsSync(file)) continue;
        record(bench, name, await activated(file, folder));
      }
    }
  },
};

function record(bench: Bench, name: Activated, { loadUs, activateUs, laterUs, seen }: ActivationReport): void {
  if (name !== 'pass-through' && (seen.commands < fewestCommands || seen.views === 0)) throw new Error(`the extension registered ${seen.commands} commands and ${seen.views} views: it was not activated`);
  bench.record('activation', name, (loadUs + activateUs) / 1000);
  bench.record('activation load', name, loadUs / 1000);
  bench.record('activation whole', name, (loadUs + activateUs + laterUs) / 1000);
}

async function activated(file: string, folder: string): Promise<ActivationReport> {
  const child = fork(host, [file, folder, path.join(folder, 'data')], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: ['--disable-warning=ExperimentalWarning'] });
  try {
    const gone = once(child, 'exit').then((): never => { throw new Error('the process that activates the extension ended before it said what that cost'); });
    gone.catch(() => undefined);
    const [report] = await Promise.race([once(child, 'message') as Promise<[ActivationReport]>, gone]);
    return report;
  } finally {
    await stop(child);
  }
}
