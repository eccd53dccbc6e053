import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface RunningServer {
  readonly url: string;
  /** The token of the local endpoint itself, not of a tool. */
  readonly token: string;
  /** A GET of the server's own paths, with its token. */
  get(route: string): Promise<unknown>;
  /** The server's output. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts the headless server on a free port, with its data in `data` of the folder, and waits until it listens. */
export async function startServer(options: { entry: string; folder: string; config: unknown; environment: Record<string, string> }): Promise<RunningServer> {
  const configFile = path.join(options.folder, 'waybill.yaml');
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify(options.config, undefined, 1));
  const child = spawn(process.execPath, [options.entry, 'serve', '--json', '--port', '0', '--config', configFile, '--data', path.join(options.folder, 'data')], {
    stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH ?? '', HOME: options.folder, ...options.environment },
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    let written = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written += text;
      const end = written.indexOf('\n');
      if (end !== -1) resolve(written.slice(0, end));
    });
    void ended.then(() => reject(new Error(`The server ended: ${log}`)));
  });
  const { url, tokenFile } = JSON.parse(line) as { url: string; tokenFile: string };
  const token = readFileSync(tokenFile, 'utf8').trim();
  return {
    url,
    token,
    log: () => log,
    get: async route => {
      const response = await fetch(url + route, { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
