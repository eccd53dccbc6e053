import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { LineReader, stop } from '../bench/childProcess.ts';

/** What the router holds when asked: after garbage was collected. */
export interface RouterHoldings {
  /** Live objects by kind. */
  objects: Record<'timers' | 'emitters' | 'sockets' | 'requests' | 'responses', number>;
  /** Bytes. */
  heapUsed: number;
  external: number;
  rss: number;
  /** What keeps its event loop alive, by type, sorted. */
  active: string[];
  /** Listeners on `process`. */
  processListeners: number;
  /** Sockets among its file descriptors (Linux; else absent). */
  openSockets: number | undefined;
  openFiles: number | undefined;
}

/** A router in a process of its own, watched from outside. */
export class ChaosRouter {
  readonly child: ChildProcess;
  readonly url: string;
  readonly token: string;
  readonly databaseFile: string;
  readonly #configFile: string;
  readonly #reports: LineReader;
  #stderr: string[];

  private constructor(child: ChildProcess, started: { url: string; token: string; databaseFile: string; configFile: string; reports: LineReader; stderr: string[] }) {
    this.child = child;
    this.url = started.url;
    this.token = started.token;
    this.databaseFile = started.databaseFile;
    this.#configFile = started.configFile;
    this.#reports = started.reports;
    this.#stderr = started.stderr;
  }

  /**
   * @param serverFile the bundle, or `server/main.ts`
   * @param folder for configuration and data
   */
  static async start(serverFile: string, folder: string, configuration: object): Promise<ChaosRouter> {
    const dataDir = path.join(folder, 'data');
    const configFile = path.join(folder, 'waybill.yaml');
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(configFile, JSON.stringify(configuration));
    const args = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--import', path.join(import.meta.dirname, 'observeRouter.mjs'), serverFile, 'serve', '--config', configFile, '--port', '0', '--data', dataDir, '--json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    const stderr: string[] = [];
    child.stderr?.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
    const reportStream = child.stdio[3];
    if (child.stdout === null || reportStream === null || reportStream === undefined) throw new Error('the router has no pipes');
    const reports = new LineReader(reportStream as Readable);
    try {
      const { url, tokenFile } = JSON.parse(await new LineReader(child.stdout).next()) as { url: string; tokenFile: string };
      const token = readFileSync(tokenFile, 'utf8').trim();
      return new ChaosRouter(child, { url, token, databaseFile: path.join(dataDir, 'ledger.db'), configFile, reports, stderr });
    } catch (error) {
      await stop(child);
      throw new Error(`the router did not start: ${stderr.join('').slice(-2000)}`, { cause: error });
    }
  }

  /** What it wrote to standard error so far. */
  get complaints(): string {
    return this.#stderr.join('');
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resident memory in bytes; Linux only. */
  residentBytes(): number | undefined {
    const kibibytes = process.platform === 'linux' && this.running ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.child.pid}/status`, 'latin1'))?.[1] : undefined;
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  }

  configure(configuration: object): void {
    writeFileSync(this.#configFile, JSON.stringify(configuration));
  }

  /** A GET with the token. */
  async get(route: string): Promise<unknown> {
    const response = await fetch(this.url + route, { headers: { authorization: `Bearer ${this.token}`, connection: 'close' } });
    if (response.status !== 200) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async holdings(): Promise<RouterHoldings> {
    this.child.kill('SIGUSR2');
    const reported = JSON.parse(await this.#reports.next()) as Omit<RouterHoldings, 'openSockets' | 'openFiles'>;
    return { ...reported, ...openDescriptors(this.child.pid) };
  }

  stop(): Promise<void> {
    return stop(this.child);
  }
}

function openDescriptors(pid: number | undefined): Pick<RouterHoldings, 'openSockets' | 'openFiles'> {
  if (process.platform !== 'linux' || pid === undefined) return { openSockets: undefined, openFiles: undefined };
  const kinds = readdirSync(`/proc/${pid}/fd`).flatMap(descriptor => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      // It was closed in between.
      return [];
    }
  });
  return { openSockets: kinds.filter(kind => kind.startsWith('socket:')).length, openFiles: kinds.length };
}
