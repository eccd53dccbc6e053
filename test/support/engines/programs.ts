import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, chownSync, constants, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EngineProgram, EngineUser } from './engineProcess.ts';

/** The Debian package that has an engine. */
export const packages = { redis: 'redis-server', postgres: 'postgresql', prometheus: 'prometheus' } as const;

/** An engine that can be brought up on this machine. */
export type EngineName = keyof typeof packages;

const binaries = { redis: 'redis-server', postgres: 'psql', prometheus: 'prometheus' } as const;

/** Where the programs of an engine stand; undefined: it is not installed. Debian keeps those of PostgreSQL outside of the PATH, in a folder for each version. */
export function folderOf(engine: EngineName): string | undefined {
  const newestFirst = globSync('/usr/lib/postgresql/*/bin').sort((left, right) => Number(right.split('/')[4]) - Number(left.split('/')[4]));
  const folders = [...(engine === 'postgres' ? newestFirst : []), ...(process.env['PATH'] ?? '').split(path.delimiter)];
  return folders.find(folder => folder !== '' && isExecutable(path.join(folder, binaries[engine])));
}

/** Which of these engines are not installed, with what brings them; undefined: all are. @property sentence without its full stop */
export function notInstalled(engines: readonly EngineName[]): { readonly missing: ReadonlySet<EngineName>; readonly sentence: string } | undefined {
  const missing = engines.filter(engine => folderOf(engine) === undefined);
  if (missing.length === 0) return undefined;
  const named = missing.map(engine => packages[engine]);
  return { missing: new Set(missing), sentence: `${named.join(' and ')} ${named.length === 1 ? 'is' : 'are'} not installed (apt-get install ${named.join(' ')})` };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function programFile(engine: EngineName, program: string): string {
  const folder = folderOf(engine);
  if (folder === undefined) throw new Error(`${packages[engine]} is not installed: apt-get install ${packages[engine]}`);
  return path.join(folder, program);
}

/** A word that only this engine's clients know. */
function secretIn(folder: string): string {
  return readFileSync(path.join(folder, 'password'), 'utf8').trim();
}

/** Writes a file that the engine's user can read and no other. */
function writeFor(user: EngineUser | undefined, file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
  if (user !== undefined) chownSync(file, user.uid, user.gid);
}

/** PostgreSQL with one database. It trusts that the machine stays up, not that the process does. */
export const postgresProgram: EngineProgram = {
  name: 'PostgreSQL', ready: 'database system is ready to accept connections', stopSignal: 'SIGINT',
  prepare(folder, port, user) {
    writeFor(user, path.join(folder, 'password'), `${randomBytes(16).toString('hex')}\n`);
    makeCluster(folder, port, user);
  },
  command: folder => ({ file: programFile('postgres', 'postgres'), args: ['-D', path.join(folder, 'data')] }),
  empty(folder, port, user) {
    rmSync(path.join(folder, 'data'), { recursive: true, force: true });
    makeCluster(folder, port, user);
  },
};

function makeCluster(folder: string, port: number, user: EngineUser | undefined): void {
  const data = path.join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (user !== undefined) chownSync(data, user.uid, user.gid);
  execFileSync(programFile('postgres', 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', path.join(folder, 'password'), '-E', 'UTF8', '--no-locale', '--no-sync'], {
    cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }, ...user,
  });
  writeFor(user, path.join(data, 'postgresql.auto.conf'), [
    "listen_addresses = '127.0.0.1'", `port = ${String(port)}`, "unix_socket_directories = ''", 'fsync = off', 'full_page_writes = off', "shared_buffers = '32MB'", 'max_connections = 60', "log_min_messages = 'warning'", '',
  ].join('\n'));
}

/** Redis that holds everything in memory, as servers that share it need. */
export const redisProgram: EngineProgram = {
  name: 'Redis', ready: 'Ready to accept connections', stopSignal: 'SIGTERM',
  prepare(folder, port, user) {
    writeFor(user, path.join(folder, 'password'), `${randomBytes(16).toString('hex')}\n`);
    writeFor(user, path.join(folder, 'redis.conf'), ['bind 127.0.0.1', `port ${String(port)}`, `requirepass ${secretIn(folder)}`, 'save ""', 'appendonly no', 'maxmemory-policy noeviction', ''].join('\n'));
  },
  command: folder => ({ file: programFile('redis', 'redis-server'), args: [path.join(folder, 'redis.conf')] }),
  empty: () => { /* it stores nothing */ },
};

/** The address of a Redis with its password. */
export function redisUrl(folder: string, port: number): string {
  return `redis://:${secretIn(folder)}@127.0.0.1:${String(port)}`;
}

/**
 * Prometheus with Waybill's rules of alerts.
 * @param targets host and port of each server whose metrics it reads
 */
export function prometheusProgram(targets: readonly string[]): EngineProgram {
  return {
    name: 'Prometheus', ready: 'Server is ready to receive web requests', stopSignal: 'SIGTERM',
    prepare(folder, _port, user) {
      writeFor(user, path.join(folder, 'alerts.yml'), readFileSync(path.join(import.meta.dirname, '..', '..', '..', 'docs', 'monitoring', 'alerts.yml'), 'utf8'));
      // JSON is YAML.
      writeFor(user, path.join(folder, 'prometheus.yml'), JSON.stringify({ global: { scrape_interval: '5s', evaluation_interval: '5s' }, rule_files: ['alerts.yml'], scrape_configs: [{ job_name: 'waybill', static_configs: [{ targets }] }] }));
    },
    command: (folder, port) => ({ file: programFile('prometheus', 'prometheus'), args: [`--config.file=${path.join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${path.join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${String(port)}`] }),
    empty: folder => { rmSync(path.join(folder, 'data'), { recursive: true, force: true }); },
  };
}

/** The address of a PostgreSQL for its administrator, with the password. */
export function postgresUrl(folder: string, port: number): string {
  return `postgres://postgres:${secretIn(folder)}@127.0.0.1:${String(port)}/postgres`;
}

/** Asks a PostgreSQL with its own client. @returns the rows, each with the text of its columns; NULL is empty */
export function queryPostgres(folder: string, port: number, sql: string): string[][] {
  const text = execFileSync(programFile('postgres', 'psql'), ['-X', '-A', '-t', '-q', '-F', '\t', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', 'postgres'], {
    input: sql, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', PGPASSWORD: secretIn(folder), PGCONNECT_TIMEOUT: '10' },
  });
  return text.split('\n').filter(line => line !== '').map(line => line.split('\t'));
}
