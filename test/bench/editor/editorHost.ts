import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Session } from 'node:inspector/promises';
import { registerHooks } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancellationTokenSource, createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import type { LanguageModelResponsePart, Memento, ProvideLanguageModelChatResponseOptions } from 'vscode';
import type { ChatProvider } from '../../../client/chat/chatProvider.ts';
import type { ServerConnection, ServerListener } from '../../../client/server/connection.ts';
import { realTimers } from '../../../client/server/connection.ts';
import { ServerProcess } from '../../../client/server/serverProcess.ts';
import type { Configuration } from '../../../client/settings/configuration.ts';
import { chatEventsNotification, noticeNotification, statusNotification, type ConfigureParams } from '../../../server/api/messages.ts';
import { ConnectionPool, wireRequest } from '../connection.ts';
import { settleMs } from '../measure.ts';
import { chunkGapMs, editorModels, nowUs, sentMoments } from '../traffic.ts';
import type { EditorJob, EditorJobResult, EditorReply, EditorSetup } from './editorJobs.ts';
import { directBody, editorTurn } from './editorTurn.ts';

/**
 * A process of its own: the extension's chat provider and its server process as they are shipped, without the editor. What
 * differs from the extension host is the module `vscode` and the language client around the connection.
 */

registerHooks({
  resolve: (specifier, context, next) => (specifier === 'vscode' ? { url: new URL('vscodeStub.ts', import.meta.url).href, shortCircuit: true } : next(specifier, context)),
});

const lookMs = 1;
const sampleBytes = 4096;

/** Watches the event loop as observeEventLoop.mjs does. */
function watchLoop(): () => { longestMs: number; longestRunMs: number } {
  const threadMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let lookedAtMs = performance.now();
  let ranUntilMs = threadMs();
  const longest = { longestMs: 0, longestRunMs: 0 };
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const ranMs = threadMs();
    longest.longestMs = Math.max(longest.longestMs, nowMs - lookedAtMs - lookMs);
    longest.longestRunMs = Math.max(longest.longestRunMs, ranMs - ranUntilMs);
    lookedAtMs = nowMs;
    ranUntilMs = ranMs;
  }, lookMs);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

interface SampledNode { callFrame: { url: string }; selfSize: number; children: SampledNode[] }

/** Samples allocations, garbage included. @returns ends it, with the bytes by script address */
async function sampleAllocations(): Promise<() => Promise<Record<string, number>>> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', { samplingInterval: sampleBytes, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true });
  return async () => {
    const { profile } = await session.post('HeapProfiler.stopSampling');
    session.disconnect();
    const sums: Record<string, number> = {};
    const count = (node: SampledNode, nearest: string): void => {
      const url = node.callFrame.url === '' ? nearest : node.callFrame.url;
      if (node.selfSize > 0) sums[url] = (sums[url] ?? 0) + node.selfSize;
      for (const child of node.children) count(child, url);
    };
    count(profile.head, '');
    return sums;
  };
}

/** The connection of client/server/languageClient.ts without the language client. */
async function connectServer(setup: EditorSetup, listener: ServerListener, started: (child: ChildProcess) => void): Promise<ServerConnection> {
  // Descriptor 3 is for what a script of `nodeArgs` reports.
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...setup.nodeArgs, setup.serverFile, '--node-ipc'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'ipc'] });
  started(child);
  const connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  connection.onNotification(statusNotification.method, status => { listener.onStatus(status); });
  connection.onNotification(noticeNotification.method, notice => { listener.onNotice(notice); });
  connection.onNotification(chatEventsNotification.method, events => { listener.onChatEvents(events); });
  connection.onClose(() => { listener.onClosed(); });
  connection.listen();
  await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {}, initializationOptions: { dataDir: setup.dataDir } });
  await connection.sendNotification('initialized', {});
  return {
    processId: child.pid,
    sendRequest: (type, params, token) => (token === undefined ? connection.sendRequest(type.method, params) : connection.sendRequest(type.method, params, token)),
    sendNotification: (type, params) => void connection.sendNotification(type.method, params),
    stop: async () => {
      connection.dispose();
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function configurationFor(upstreamPort: number): ConfigureParams {
  const models = Object.fromEntries(Object.values(editorModels).map(model => [model, { upstream: model, prices: { inputPerMTok: 0.42, outputPerMTok: 0.84 } }]));
  return {
    endpoints: { upstream: { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${upstreamPort}/v1`, models } },
    routes: Object.fromEntries(Object.values(editorModels).map(model => [`to-${model}`, { strategy: 'priority', targets: [`upstream/${model}`] }])),
    keys: { upstream: [{ id: 'key', label: 'key', secret: 'bench-key' }] },
    http: { enabled: false, port: 0 },
  };
}

class EditorEnd {
  readonly child: ChildProcess;
  readonly #provider: ChatProvider;
  readonly #upstreamPort: number;
  #turns = 0;

  constructor(child: ChildProcess, provider: ChatProvider, upstreamPort: number) {
    this.child = child;
    this.#provider = provider;
    this.#upstreamPort = upstreamPort;
  }

  static async start(setup: EditorSetup): Promise<EditorEnd> {
    const log = { debug: ignore, info: ignore, warn: (line: string) => process.stderr.write(`${line}\n`), error: (line: string) => process.stderr.write(`${line}\n`) };
    let child: ChildProcess | undefined;
    const server = new ServerProcess({
      connect: listener => connectServer(setup, listener, started => { child = started; }),
      readConfiguration: () => Promise.resolve(configurationFor(setup.upstreamPort)), log, timers: realTimers,
    });
    const running = new Promise<void>(resolve => { server.onDidChangeState(state => { if (state === 'running') resolve(); }); });
    server.start();
    await running;
    if (child === undefined) throw new Error('the server was not started');
    // What it imports from `vscode` is resolved by the hooks above.
    const { ConversationTitles } = await import('../../../client/chat/conversationTitles.ts');
    const { ChatProvider: Provider } = await import('../../../client/chat/chatProvider.ts');
    const configuration = { settings: { shownModels: 'all' }, onDidChange: () => ({ dispose: ignore }) } as unknown as Configuration;
    const memory: Memento = { keys: () => [], get: () => undefined, update: () => Promise.resolve() };
    return new EditorEnd(child, new Provider(server, configuration, memory, new ConversationTitles()), setup.upstreamPort);
  }

  async perform(job: EditorJob): Promise<EditorJobResult> {
    const result: EditorJobResult = { firstTokensUs: [], chunkDelaysUs: [], cpuUs: 0, parts: 0, longestMs: 0, longestRunMs: 0, allocated: {} };
    const pool = new ConnectionPool({ name: 'direct', port: this.#upstreamPort, token: 'bench-key', model: editorModels[job.answer] });
    const turn = job.via === 'editor' ? this.#chat(job, result) : this.#direct(job, pool, result);
    await sleep(settleMs);
    const stopWatching = job.watched ? watchLoop() : undefined;
    const stopSampling = job.sampled ? await sampleAllocations() : undefined;
    const cpu = process.cpuUsage();
    const beganMs = performance.now();
    const running: Promise<void>[] = [];
    try {
      for (let index = 0; index < job.turns; index++) {
        if (job.perSecond === 0) {
          await turn();
          // Everything that was put off belongs to the turn before.
          await sleep(lookMs * 2);
          continue;
        }
        // Turns that begin at multiples of the chunk gap would all get their chunks in the same instant.
        const spreadMs = ((index * 0.618) % 1) * chunkGapMs;
        await sleep(Math.max(0, beganMs + (index * 1000) / job.perSecond + spreadMs - performance.now()));
        const started = turn();
        // An error is raised by the wait for all below.
        started.catch(ignore);
        running.push(started);
      }
      await Promise.all(running);
    } finally {
      await Promise.allSettled(running);
      pool.close();
      Object.assign(result, stopWatching?.());
    }
    await sleep(settleMs);
    const { user, system } = process.cpuUsage(cpu);
    result.cpuUs = user + system;
    if (stopSampling !== undefined) result.allocated = await stopSampling();
    return result;
  }

  /** @returns does the next turn. The messages exist before, as those of the editor do, and no two turns share a string. */
  #chat({ history, continued, answer, turns }: EditorJob, result: EditorJobResult): () => Promise<void> {
    const prepared = Array.from({ length: turns }, () => editorTurn(history, continued, this.#turns++)).reverse();
    const model = `route:to-${editorModels[answer]}`;
    return async () => {
      const turn = prepared.pop();
      if (turn === undefined) throw new Error('no turn is left');
      const options: ProvideLanguageModelChatResponseOptions = { tools: turn.tools, toolMode: 1, modelOptions: {} };
      let first = true;
      const startedUs = nowUs();
      await this.#provider.provideLanguageModelChatResponse(
        { id: model, name: '', family: '', version: '1', maxInputTokens: 1, maxOutputTokens: 1, capabilities: {} }, turn.messages, options,
        {
          report: (part: LanguageModelResponsePart) => {
            result.parts++;
            if (answer === 'flood' || !('value' in part) || typeof part.value !== 'string') return;
            take(result, sentMoments(Buffer.from(part.value, 'latin1')), startedUs, nowUs(), first);
            first = false;
          },
        },
        new CancellationTokenSource().token,
      );
      if (first && answer !== 'flood') throw new Error('the editor got an answer without a word');
    };
  }

  #direct({ history, answer }: EditorJob, pool: ConnectionPool, result: EditorJobResult): () => Promise<void> {
    const target = { name: 'direct', port: this.#upstreamPort, token: 'bench-key', model: editorModels[answer] };
    const bytes = wireRequest(target, directBody(history, target.model));
    return async () => {
      let first = true;
      const startedUs = nowUs();
      await pool.send(bytes, (piece, atUs) => {
        const moments = sentMoments(piece);
        if (moments.length === 0) return;
        take(result, moments, startedUs, atUs, first);
        first = false;
      });
    };
  }
}

function take(result: EditorJobResult, moments: readonly number[], startedUs: number, atUs: number, first: boolean): void {
  for (const [index, sentUs] of moments.entries()) {
    if (first && index === 0) result.firstTokensUs.push(atUs - startedUs);
    else result.chunkDelaysUs.push(atUs - sentUs);
  }
}

function ignore(): void {
  // Nothing to do.
}

let end: EditorEnd | undefined;

async function answerTo(message: EditorSetup | EditorJob): Promise<EditorReply> {
  if ('serverFile' in message) {
    end = await EditorEnd.start(message);
    // The server's reports go to this process's parent, by its descriptor 3.
    end.child.stdio[3]?.on('data', (bytes: Buffer) => process.stdout.write(bytes));
    return { ready: { serverPid: end.child.pid ?? 0 } };
  }
  if (end === undefined) throw new Error('a job came before the setup');
  return { result: await end.perform(message) };
}

process.on('message', (message: EditorSetup | EditorJob) => {
  answerTo(message)
    .catch((error: unknown): EditorReply => ({ error: error instanceof Error ? error.stack ?? error.message : String(error) }))
    .then(reply => process.send?.(reply)).catch(() => process.exit(1));
});
process.on('SIGTERM', () => {
  end?.child.kill('SIGTERM');
  process.exit(0);
});
process.on('disconnect', () => {
  end?.child.kill('SIGTERM');
  process.exit(0);
});
