/**
 * `npm run agents`: real coding agents, each in a home of its own and without internet, edit a file through the real
 * server, with scripted providers of every protocol behind it. docs/agents.md says what is checked.
 *
 *   npm run agents -- [--source] [--keep] [PART OF A NAME…]
 *
 * `--source` starts the server from its source instead of the bundle; `--keep` leaves each run's folder and prints it.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { duration, green, red, table } from '../../scripts/terminal.mjs';
import { problemsOf } from './checks.ts';
import { installAgents } from './install.mjs';
import { taskList } from './taskList.ts';
import { runTask } from './taskRun.ts';

const repository = path.join(import.meta.dirname, '..', '..');
const words = process.argv.slice(2);
const keep = words.includes('--keep');
const serverEntry = path.join(repository, ...(words.includes('--source') ? ['server', 'main.ts'] : ['dist', 'server.js']));
if (!existsSync(serverEntry)) throw new Error('There is no dist/server.js: run "npm run build" first.');
const tasks = taskList(words.filter((word) => !word.startsWith('--')));
if (tasks.length === 0) throw new Error('No agent has such a name.');
const { modules, line } = installAgents();
console.log(line);

const version = (agent) => JSON.parse(readFileSync(path.join(modules, agent.package, 'package.json'), 'utf8')).version;
const rows = [['agent', 'version', 'speaks', 'provider', 'result', 'exchanges', 'attempts', 'own reasoning back', 'took']];
const faults = [];
const asked = new Map();

for (const task of tasks) {
  const { agent } = task;
  const title = task.targets.map(({ protocol }) => protocol).join(', breaks down, then ');
  try {
    const result = await runTask(task, { modules, serverEntry, keep });
    const problems = problemsOf(result);
    if (problems.length > 0) faults.push({ task: `${agent.name}: ${title}`, problems, output: result.output });
    for (const host of result.asked) asked.set(agent.name, (asked.get(agent.name) ?? new Set()).add(host));
    rows.push([
      agent.name, version(agent), agent.protocol, title, problems.length === 0 ? 'ok' : 'FAILED', result.receipts.length,
      result.receipts.reduce((sum, { attempts }) => sum + attempts.length, 0), result.upstreams.reduce((sum, { remembered }) => sum + remembered, 0) || '-', duration(result.tookMs),
    ]);
    console.log(`${problems.length === 0 ? green('ok    ') : red('FAILED')} ${agent.name}: ${title}${keep ? `  ${result.folder}` : ''}`);
  } catch (error) {
    faults.push({ task: `${agent.name}: ${title}`, problems: [error instanceof Error ? error.message : String(error)], output: '' });
    rows.push([agent.name, version(agent), agent.protocol, title, 'FAILED', 0, 0, '-', '']);
    console.log(`${red('FAILED')} ${agent.name}: ${title}`);
  }
}

console.log(`\n${table(rows).join('\n')}`);
for (const [name, hosts] of asked) console.log(`\n${name} asked for ${[...hosts].sort().join(', ')}, and was let nowhere.`);
for (const { task, problems, output } of faults) console.log(`\n${red(task)}\n${problems.map((problem) => `  ${problem}`).join('\n')}\n${output.trim().split('\n').slice(-15).map((text) => `  | ${text}`).join('\n')}`);
console.log(`\n${rows.length - 1 - faults.length} of ${rows.length - 1} tasks done`);
process.exitCode = faults.length === 0 ? 0 : 1;
