/**
 * `npm run agents:record`: real coding agents work through an afternoon of one developer (developer.ts), all sessions at once, through the real server
 * with a scripted model behind it that answers at the pace of a real one. What they send is kept as lengths and times in
 * test/unit/routing/warmth/recorded/afternoon.json, without any text; docs/warm-caches.md is made from it. Takes a quarter of an hour.
 *
 *   npm run agents:record -- [--try] [--source] [--keep] [PART OF A NAME…]
 *
 * `--try` lets the person and the model be twenty times as fast, and writes nothing; so does a part of a session's name.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeRecording, type RecordedSession } from '../../unit/routing/warmth/recordedSessions.ts';
import { agents } from '../agents.ts';
import { installAgents } from '../install.mjs';
import { afternoon } from './developer.ts';
import { runSession } from './runSession.ts';
import { traceOf, type SeenPrompt, type ToldRequest } from './trace.ts';

const repository = path.join(import.meta.dirname, '..', '..', '..');
const words = process.argv.slice(2);
const parts = words.filter(word => !word.startsWith('--'));
const isTry = words.includes('--try') || parts.length > 0;
const serverEntry = path.join(repository, ...(words.includes('--source') ? ['server', 'main.ts'] : ['dist', 'server.js']));
if (!existsSync(serverEntry)) throw new Error('There is no dist/server.js: run "npm run build" first.');
const { modules, line } = installAgents();
console.log(line);

const scripts = afternoon.filter(({ name, agent }) => parts.length === 0 || parts.some(part => `${agent} ${name}`.includes(part)));
if (scripts.length === 0) throw new Error('No session has such a name.');
const startedAt = performance.now();
const clock = (): number => performance.now() - startedAt;
const log = (said: string): void => console.log(`${String(Math.round(clock() / 1000)).padStart(4)} s  ${said}`);
const results = await Promise.all(scripts.map(script => runSession(script, afternoon.indexOf(script), { modules, serverEntry, clock, speed: words.includes('--try') ? 20 : 1, log, keep: words.includes('--keep') })));

const problems = results.flatMap((result, index) => result.problems.map(problem => `${scripts[index]?.name ?? ''}: ${problem}`));
const told = new Map<SeenPrompt, ToldRequest>(results.flatMap(result => [...result.told]));
for (const [index, { seen }] of results.entries()) {
  const roles = Map.groupBy(seen, request => told.get(request)?.role ?? 'without a receipt');
  const longest = seen.reduce((most, { promptTokens }) => Math.max(most, promptTokens), 0);
  console.log(`${scripts[index]?.name ?? ''}: ${seen.length} requests (${[...roles].map(([role, list]) => `${list.length} ${role}`).join(', ')}), longest prompt ${longest} tokens`);
}
for (const problem of problems) console.log(problem);
if (problems.length > 0) process.exitCode = 1;
else if (!isTry) {
  const sessions = afternoon.map(({ name, agent: id, route }): RecordedSession => {
    const agent = agents.find(one => one.id === id && one.route === route);
    if (agent === undefined) throw new Error(`There is no agent ${id}.`);
    const { version } = JSON.parse(readFileSync(path.join(modules, agent.package, 'package.json'), 'utf8')) as { version: string };
    return { name, agent: agent.name, version };
  });
  const file = path.join(repository, 'test', 'unit', 'routing', 'warmth', 'recorded', 'afternoon.json');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, writeRecording({ sessions, requests: traceOf(results.flatMap(({ seen }) => seen), told) }));
  console.log(`Written: ${path.relative(repository, file)}. Now run node test/unit/routing/warmth/writeWarmCachesPage.ts.`);
}
