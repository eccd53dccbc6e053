import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolConnector } from '../../../client/connect/toolConnector.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import { isObject, parseJson } from '../../../server/base/json.ts';
import { ToolTokens } from '../../../server/inbound/http/auth/toolTokens.ts';
import { agents, type Agent, type Place } from '../agents.ts';
import { NoInternet } from '../network.ts';
import { startServer } from '../server.ts';
import { connect, receiptsOf, vendor } from '../taskRun.ts';
import { startUpstream } from '../upstream.ts';
import type { TurnUsage } from '../wires/wire.ts';
import type { SessionScript } from './developer.ts';
import { SessionModel } from './sessionModel.ts';
import { prefixesOf, type SeenPrompt, type ToldRequest } from './trace.ts';

const repository = path.join(import.meta.dirname, '..', '..', '..');
const key = 'key-of-scripted-provider';
const promptTimeoutMs = 600_000;
const sessionTimeoutMs = 1_800_000;
/** What a cache keeps a prompt for, and how fast the scripted model reads and writes, in tokens for each second. */
const lifetimeMs = 300_000;
const pace = { firstMs: 900, readPerSecond: 9000, writtenPerSecond: 75 };

export interface SessionOptions {
  readonly modules: string;
  readonly serverEntry: string;
  /** Milliseconds since the recording began. */
  readonly clock: () => number;
  /** How much faster a person and the model are; 1 is what is recorded. */
  readonly speed: number;
  readonly log: (words: string) => void;
  readonly keep: boolean;
}

export interface SessionResult { readonly seen: SeenPrompt[]; readonly told: Map<SeenPrompt, ToldRequest>; readonly problems: string[] }

/** Lets one agent work through a session, and keeps the lengths, beginnings and times of what it sends. */
export async function runSession(script: SessionScript, index: number, options: SessionOptions): Promise<SessionResult> {
  const agent = agents.find(({ id, route }) => id === script.agent && route === script.route);
  if (agent === undefined) throw new Error(`No agent ${script.agent} asks for the route ${script.route}.`);
  const { clock, speed } = options;
  const root = mkdtempSync(path.join(tmpdir(), `waybill-session-${index}-`));
  const place: Place = { home: path.join(root, 'home'), folder: path.join(root, 'project') };
  for (const folder of [place.home, path.join(root, 'data'), path.join(root, 'tmp')]) mkdirSync(folder);
  makeProject(place.folder);
  const model = new SessionModel(place.folder, index + 1);
  const seen: SeenPrompt[] = [];
  const kept = new Map<string, number>();
  const paceOf = ({ prompt, cached, output }: TurnUsage): { firstMs: number; restMs: number } => ({
    firstMs: (pace.firstMs + ((prompt - cached) / pace.readPerSecond) * 1000) / speed, restMs: ((output / pace.writtenPerSecond) * 1000) / speed,
  });
  const network = await NoInternet.start();
  const upstream = await startUpstream({
    protocol: agent.protocol, key, anyField: true, script: () => ({}),
    paced: {
      turnOf: (request, body) => model.turnOf(request, body),
      usageOf(body, turn) {
        const at = clock();
        const prompt = prefixesOf(body);
        const { prefixes, tokens, promptTokens } = prompt;
        const shared = prefixes.findLastIndex(prefix => at - (kept.get(prefix) ?? -Infinity) < lifetimeMs) + 1;
        const cached = tokens.slice(0, shared).reduce((sum, count) => sum + count, 0);
        for (const prefix of prefixes) kept.set(prefix, at);
        const reasoning = Math.ceil((turn.thinking?.length ?? 0) / 4);
        const usage = { prompt: promptTokens, cached, output: reasoning + Math.ceil(((turn.text?.length ?? 0) + JSON.stringify(turn.calls ?? '').length) / 4), reasoning };
        const { firstMs, restMs } = paceOf(usage);
        seen.push({ at, session: index, ...prompt, outputTokens: usage.output, tookMs: firstMs + restMs });
        return usage;
      },
      paceOf,
    },
  });
  const { provider, model: name } = vendor[agent.protocol];
  const endpoint = {
    provider, protocol: agent.protocol, baseUrl: upstream.url, keys: ['${SCRIPTED_KEY}'], probe: { enabled: false },
    models: { [name]: { contextWindow: script.contextWindow, maxOutputTokens: 8000, prices: { inputPerMTok: 2, outputPerMTok: 8, cacheReadPerMTok: 0.2 } } },
  };
  // Two names of one provider, so that the router reads what each request is for and which conversation it belongs to.
  const targets = [`one/${name}`, `two/${name}`];
  const route = { targets, byKind: { 'low-cost': targets[0], 'high-quality': targets[0] } };
  const server = await startServer({
    entry: options.serverEntry, folder: root, config: { endpoints: { one: endpoint, two: endpoint }, routes: { [agent.route]: route } }, environment: { SCRIPTED_KEY: key },
  });
  try {
    const connector = new ToolConnector({ home: place.home, environment: {} }, path.join(root, 'data'));
    await connect(agent, place, connector, server, new ToolTokens(path.join(root, 'data')).connect(agent.id));
    const person = await talkTo(agent, place, path.join(root, 'tmp'), options.modules, network);
    const problems: string[] = [];
    for (const [number, { pause, text, steps }] of script.prompts.entries()) {
      await sleep(pause * 1000 / speed);
      options.log(`${script.name}: ${text}`);
      model.begin(steps);
      const { code, output } = await person.say(text, number > 0);
      if (code !== 0) problems.push(`prompt ${number + 1} ended with ${code ?? 'a signal'}: ${output.slice(-1500)}`);
      if (model.left > 0) problems.push(`prompt ${number + 1} left ${model.left} steps: ${output.slice(-1500)}`);
    }
    await person.leave();
    const receipts = await receiptsOf(server);
    const told = match(seen, receipts, problems);
    problems.push(...new Set(upstream.faults.map(fault => `the provider refused: ${fault}`)));
    for (const { outcome, message } of receipts) if (outcome !== 'ok') problems.push(`an exchange is ${outcome}: ${message ?? ''}`);
    if (options.keep) {
      for (const [number, body] of upstream.bodies.entries()) writeFileSync(path.join(root, `upstream-${number}.json`), body);
      writeFileSync(path.join(root, 'receipts.json'), JSON.stringify(receipts, undefined, 1));
      options.log(`${script.name}: ${root}`);
    }
    return { seen, told, problems };
  } finally {
    await server.stop();
    await Promise.all([upstream.close(), network.close()]);
    if (!options.keep) rmSync(root, { recursive: true, force: true });
  }
}

/** A part of this repository with its history of one commit, as a project to work on. */
function makeProject(folder: string): void {
  mkdirSync(folder);
  for (const part of ['server', 'docs', 'test/unit/routing', 'test/unit/support', 'package.json', 'tsconfig.json', 'README.md']) cpSync(path.join(repository, part), path.join(folder, part), { recursive: true });
  for (const name of ['CLAUDE.md', 'AGENTS.md']) cpSync(path.join(repository, 'CONTRIBUTING.md'), path.join(folder, name));
  writeFileSync(path.join(folder, '.gitignore'), 'node_modules\n');
  symlinkSync(path.join(repository, 'node_modules'), path.join(folder, 'node_modules'));
  const git = (...args: string[]): unknown => execFileSync('git', ['-c', 'user.name=A Developer', '-c', 'user.email=developer@example.com', ...args], { cwd: folder, stdio: 'pipe' });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'The project as it is');
}

/** Finds the receipt of each request by what it was charged. */
function match(seen: readonly SeenPrompt[], receipts: readonly Receipt[], problems: string[]): Map<SeenPrompt, ToldRequest> {
  const told = new Map<SeenPrompt, ToldRequest>();
  for (const { plan, usage, caller, id } of receipts) {
    const { inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0, outputTokens = 0 } = usage;
    const request = seen.find(one => !told.has(one) && one.promptTokens === inputTokens + cacheReadTokens + cacheWriteTokens && one.outputTokens === outputTokens);
    if (request === undefined) {
      problems.push(`receipt ${id} belongs to no request`);
      continue;
    }
    const role = plan.purpose?.role ?? 'main';
    told.set(request, {
      conversation: plan.cache?.conversation.replace(new RegExp(`\\.${role}$`), '') ?? `given ${caller.conversation ?? id} ${role}`,
      role, kind: plan.purpose?.kind ?? 'balanced', errand: plan.cache?.errand === true, estimatedTokens: plan.cache?.estimatedTokens ?? plan.requirements?.estimatedInputTokens ?? 0,
    });
  }
  if (told.size < seen.length) problems.push(`${seen.length - told.size} requests have no receipt`);
  return told;
}

interface Answer { readonly code: number | null; readonly output: string }
interface Person { say(text: string, again: boolean): Promise<Answer>; leave(): Promise<void> }

/** How a person goes on talking to an agent: Claude Code runs all the time, the others are started for each prompt and go on from the last. */
async function talkTo(agent: Agent, { home, folder }: Place, temporary: string, modules: string, network: NoInternet): Promise<Person> {
  const program = path.join(modules, agent.program);
  const start = (args: readonly string[], input: 'ignore' | 'pipe'): ChildProcess => {
    const [command, all] = agent.script ? [process.execPath, [program, ...args]] : [program, [...args]];
    return spawn(command, all, {
      cwd: folder, stdio: [input, 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TERM: 'dumb', HOME: home, USERPROFILE: home, TMPDIR: temporary, TEMP: temporary, ...network.environment, ...agent.environment,
        // Everything that it would send to a model is recorded.
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '',
      },
    });
  };
  if (agent.id === 'claude-code') return new RunningClaude(start(['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose', '--allowedTools', 'Read,Edit,Write,Glob,Grep,Bash,Agent,Task'], 'pipe'));
  return {
    async say(text, again) {
      const args = agent.id === 'codex'
        ? ['exec', ...(again ? ['resume', '--last'] : []), '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-c', 'check_for_update_on_startup=false', '-c', 'analytics.enabled=false', text]
        : ['run', ...(again ? ['--continue'] : []), text];
      return ended(start(args, 'ignore'), promptTimeoutMs);
    },
    leave: () => Promise.resolve(),
  };
}

function ended(child: ChildProcess, timeoutMs: number): Promise<Answer> {
  let output = '';
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

/** Claude Code in one process for all prompts. A result ends each. */
class RunningClaude implements Person {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Answer>;
  #result: ((answer: Answer) => void) | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = ended(child, sessionTimeoutMs);
    if (child.stdout === null) throw new Error('Its output cannot be read.');
    createInterface({ input: child.stdout }).on('line', line => {
      const event = parseJson(line);
      if (isObject(event) && event.type === 'result') this.#result?.({ code: event.is_error === false ? 0 : 1, output: line });
    });
  }

  say(text: string): Promise<Answer> {
    const answered = new Promise<Answer>(resolve => (this.#result = resolve));
    this.#child.stdin?.write(`${JSON.stringify({ type: 'user', message: { role: 'user', content: text } })}\n`);
    return Promise.race([answered, this.#ended.then(answer => ({ ...answer, code: answer.code ?? 1 }))]);
  }

  async leave(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }
}
