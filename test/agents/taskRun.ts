import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolConnector } from '../../client/connect/toolConnector.ts';
import type { ProtocolName } from '../../server/api/conversation.ts';
import type { Receipt, RequestSummary } from '../../server/api/receipt.ts';
import type { EndpointSettings } from '../../server/api/settings.ts';
import type { StatusSnapshot } from '../../server/api/status.ts';
import { ToolTokens } from '../../server/inbound/http/auth/toolTokens.ts';
import { after, before, taskFile, type Agent, type Place } from './agents.ts';
import { NoInternet } from './network.ts';
import { startServer, type RunningServer } from './server.ts';
import { startUpstream, type Breakdown, type Upstream } from './upstream.ts';

/** An agent's task, and the providers behind the router, in the order in which they are tried. */
export interface TaskRun {
  agent: Agent;
  targets: readonly { protocol: ProtocolName; breakdown?: Breakdown }[];
  /** The agent has a token of its own, as "Connect a Tool…" gives it; else the server recognises it by its user agent. */
  ownToken: boolean;
}

export interface TaskOptions {
  /** Folder of the installed agents. */
  modules: string;
  /** The file of the server: the bundle, or the source. */
  serverEntry: string;
  /** Keeps the folder of the run. */
  keep: boolean;
}

/** The result of a task. `problems` is empty when the task is done. */
export interface TaskResult {
  run: TaskRun;
  problems: string[];
  /** Duration of the agent's process, in milliseconds. */
  tookMs: number;
  receipts: Receipt[];
  /** Internet hosts that the agent requested. */
  asked: string[];
  /** Names of the tools offered to the first provider. */
  offered: string[];
  upstreams: readonly Upstream[];
  /** The folder of the run; removed unless it is kept. */
  folder: string;
  output: string;
}

const agentTimeoutMs = 90_000;
/** The provider and model behind each protocol. */
export const vendor: Readonly<Record<ProtocolName, { provider: string; model: string; name: string }>> = {
  'openai-chat': { provider: 'openai', model: 'gpt-5.1', name: 'chat' },
  'openai-responses': { provider: 'openai', model: 'gpt-5.1', name: 'responses' },
  'anthropic-messages': { provider: 'anthropic', model: 'claude-sonnet-4.6', name: 'messages' },
  'gemini': { provider: 'gemini', model: 'gemini-3-pro-preview', name: 'gemini' },
};

/**
 * Lets an agent do its task: scripted providers, the real server in front of them, and the agent in a home of its own,
 * connected as "Connect a Tool…" does it, with no way to the internet.
 */
export async function runTask(run: TaskRun, options: TaskOptions): Promise<TaskResult> {
  const root = mkdtempSync(path.join(tmpdir(), `waybill-${run.agent.id}-`));
  const place: Place = { home: path.join(root, 'home'), folder: path.join(root, 'project') };
  for (const folder of [place.home, place.folder, path.join(root, 'data'), path.join(root, 'tmp')]) mkdirSync(folder);
  writeFileSync(path.join(place.folder, taskFile), before);
  writeFileSync(path.join(place.folder, 'notes.txt'), 'Spelling matters.\n');
  const network = await NoInternet.start();
  const upstreams = await Promise.all(run.targets.map(({ protocol, breakdown }, index) => startUpstream({
    protocol, breakdown, key: keyOf(index), anyField: protocol === run.agent.protocol, script: request => run.agent.model(request, place),
  })));
  const server = await startServer({ entry: options.serverEntry, folder: root, ...configuration(run, upstreams) });
  try {
    const connector = new ToolConnector({ home: place.home, environment: {} }, path.join(root, 'data'));
    const token = run.ownToken ? new ToolTokens(path.join(root, 'data')).connect(run.agent.id) : server.token;
    const written = await connect(run.agent, place, connector, server, token);
    const startedAt = performance.now();
    const { code, output } = await startAgent(run.agent, place, path.join(root, 'tmp'), options.modules, network);
    const tookMs = performance.now() - startedAt;
    const receipts = await receiptsOf(server);
    await connector.disconnect(run.agent.id);
    const result: TaskResult = {
      run, tookMs, receipts, asked: network.asked, offered: [...upstreams[0]?.offered ?? []], upstreams, folder: root, output, problems: [],
    };
    if (code !== 0) result.problems.push(`it ended with ${code ?? 'a signal'}`);
    const content = readFileSync(path.join(place.folder, taskFile), 'utf8');
    if (content !== after) result.problems.push(content === before ? `${taskFile} is unchanged` : `${taskFile} is wrong: ${JSON.stringify(content)}`);
    result.problems.push(...written.flatMap(file => (existsSync(file) && readFileSync(file, 'utf8').includes(server.url) ? [`${path.basename(file)} still names the endpoint after "Disconnect a Tool…"`] : [])));
    if (options.keep) {
      for (const [index, upstream] of upstreams.entries()) for (const [number, body] of upstream.bodies.entries()) writeFileSync(path.join(root, `upstream-${index}-${number}.json`), body);
      writeFileSync(path.join(root, 'receipts.json'), JSON.stringify(receipts, undefined, 1));
      writeFileSync(path.join(root, 'output.txt'), output);
      writeFileSync(path.join(root, 'server.txt'), server.log());
    }
    return result;
  } finally {
    await server.stop();
    await Promise.all([...upstreams.map(upstream => upstream.close()), network.close()]);
    if (!options.keep) rmSync(root, { recursive: true, force: true });
  }
}

function keyOf(index: number): string {
  return `key-of-scripted-provider-${index}`;
}

/** Name of a target, as in receipts. */
export function targetName({ targets }: TaskRun, index: number): string {
  const { name, model } = vendor[targets[index]?.protocol ?? 'openai-chat'];
  return `${name}${index + 1}/${model}`;
}

function configuration(run: TaskRun, upstreams: readonly Upstream[]): { config: unknown; environment: Record<string, string> } {
  const endpoints: Record<string, EndpointSettings> = {};
  for (const [index, { protocol }] of run.targets.entries()) {
    const { provider, model, name } = vendor[protocol];
    endpoints[`${name}${index + 1}`] = {
      provider, protocol, baseUrl: upstreams[index]?.url, keys: [`\${SCRIPTED_KEY_${index}}`], probe: { enabled: false },
      models: { [model]: { prices: { inputPerMTok: 2, outputPerMTok: 8, cacheReadPerMTok: 1, cacheWritePerMTok: 4 } } },
    };
  }
  return {
    config: { endpoints, routes: { [run.agent.route]: { targets: run.targets.map((_, index) => targetName(run, index)) } } },
    environment: Object.fromEntries(run.targets.map((_, index) => [`SCRIPTED_KEY_${index}`, keyOf(index)])),
  };
}

/** Connects the agent as "Connect a Tool…" does. @returns the written files */
export async function connect(agent: Agent, { home }: Place, connector: ToolConnector, server: RunningServer, token: string): Promise<string[]> {
  for (const [name, content] of Object.entries(agent.files ?? {})) {
    mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
    writeFileSync(path.join(home, name), content);
  }
  const { offered } = await server.get('/waybill/status') as StatusSnapshot;
  const model = offered.find(one => one.requestedModel === agent.route);
  if (model === undefined) throw new Error(`The server offers no route "${agent.route}": ${server.log()}`);
  const connection = { url: server.url, model, at: Date.now() };
  const shown = await connector.previewConnect(agent.id, connection);
  await connector.connect(agent.id, { ...connection, token }, shown);
  return shown.map(change => change.file);
}

function startAgent(agent: Agent, { home, folder }: Place, temporary: string, modules: string, network: NoInternet): Promise<{ code: number | null; output: string }> {
  const program = path.join(modules, agent.program);
  const [command, args] = agent.script ? [process.execPath, [program, ...agent.args]] : [program, [...agent.args]];
  const child = spawn(command, args, {
    cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: agentTimeoutMs, killSignal: 'SIGKILL',
    env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TERM: 'dumb', HOME: home, USERPROFILE: home, TMPDIR: temporary, TEMP: temporary, ...network.environment, ...agent.environment },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, output }));
  });
}

/** Every exchange's receipt, oldest first, once all of them are closed. */
export async function receiptsOf(server: RunningServer): Promise<Receipt[]> {
  for (let tries = 0; ; tries++) {
    const exchanges = await server.get('/waybill/exchanges?limit=1000') as RequestSummary[];
    if (exchanges.every(one => one.outcome !== 'open') || tries > 50) {
      return Promise.all(exchanges.reverse().map(async one => await server.get(`/waybill/exchanges/${one.id}`) as Receipt));
    }
    await sleep(100);
  }
}
