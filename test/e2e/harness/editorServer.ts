import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { places } from './places.ts';
import { endProcessTree, processesOfRun, runMarkerName } from './processTree.ts';
import type { RunningProcess } from './processTree.ts';
import { until } from './until.ts';

/** An installation of an earlier VSIX is deleted after so long, in milliseconds. */
const installationKeptMs = 3_600_000;
const quietSettings = { 'telemetry.telemetryLevel': 'off', 'update.mode': 'none', 'extensions.autoCheckUpdates': false };
/** Settings for VS Code's own chat without a sign-in, and without interruptions. Users do not have them; one test runs without them. */
const baseSettings = {
  ...quietSettings,
  'chat.allowAnonymousAccess': true,
  'chat.byokUtilityModelDefault': 'mainAgent',
  'editor.autoClosingBrackets': 'never',
  'editor.autoClosingQuotes': 'never',
  'extensions.ignoreRecommendations': true,
  'window.commandCenter': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.editor.useModal': 'off',
  'remote.autoForwardPorts': false,
};

export interface EditorOptions {
  vsix?: string;
  settings?: Record<string, unknown>;
  /** Leaves every setting of the editor at its default, as on a user's machine; only its calls to the network are off. */
  defaults?: boolean;
  /**
   * The language of the editor, as `vi`. Extensions and their manifests speak it where they have it; the editor's own texts stay
   * English, because there is no language pack.
   */
  language?: string;
  /** A folder with another extension that is installed beside ours. */
  otherExtension?: string;
  /** Added to the environment of the editor and so of the extension host. */
  environment?: Record<string, string>;
}

/** A running VS Code of its own: user data, extensions, home folder and port belong to it alone. */
export class EditorServer {
  readonly url: string;
  readonly home: string;
  readonly userDataDir: string;
  /** The language that windows of this editor are opened in; undefined: English. */
  readonly language: string | undefined;
  readonly #process: ChildProcess;
  readonly #marker: string;
  readonly #output: string[];

  private constructor(url: string, home: string, child: ChildProcess, marker: string, output: string[], language: string | undefined) {
    this.language = language;
    this.url = url;
    this.home = home;
    this.userDataDir = path.join(home, 'user-data');
    this.#process = child;
    this.#marker = marker;
    this.#output = output;
  }

  /** Puts the VSIX in place, writes the settings and starts the editor; resolves when it accepts connections. */
  static async start({ vsix = places.vsix, settings = {}, defaults = false, environment = {}, language, otherExtension }: EditorOptions = {}): Promise<EditorServer> {
    if (!existsSync(vsix)) throw new Error(`There is no ${vsix}: run "npm run package" first.`);
    const home = mkdtempSync(path.join(tmpdir(), 'waybill-e2e-'));
    const marker = randomUUID();
    const folders = ['--user-data-dir', path.join(home, 'user-data'), '--extensions-dir', path.join(home, 'extensions'), '--config', path.join(home, 'code-server.yaml')];
    const options = { detached: true, cwd: home, env: { ...plainEnvironment(), ...environment, HOME: home, [runMarkerName]: marker } };
    mkdirSync(path.join(home, 'user-data', 'User'), { recursive: true });
    writeFileSync(path.join(home, 'user-data', 'User', 'settings.json'), JSON.stringify({ ...(defaults ? quietSettings : baseSettings), ...settings }, undefined, 2));
    writeFileSync(path.join(home, 'code-server.yaml'), 'auth: none\ncert: false\n');

    const output: string[] = [];
    cpSync(await extensionsWith(vsix), path.join(home, 'extensions'), { recursive: true });
    if (otherExtension !== undefined) addExtension(path.join(home, 'extensions'), otherExtension);
    const child = spawn(process.execPath, [
      places.editorEntry, ...folders, '--auth', 'none', '--bind-addr', '127.0.0.1:0',
      '--disable-telemetry', '--disable-update-check', '--disable-workspace-trust', '--disable-getting-started-override',
    ], options);
    collect(child, output);
    try {
      const url = await until('the editor to listen', () => {
        if (child.exitCode !== null) throw new Error('it ended');
        return /HTTP server listening on (http:\/\/\S+?)\/?\s/.exec(output.join(''))?.[1];
      }, { timeoutMs: 30_000 });
      return new EditorServer(url, home, child, marker, output, language);
    } catch (error) {
      await endProcessTree(child, marker);
      throw new Error(`The editor did not start:\n${output.join('')}`, { cause: error });
    }
  }

  /** Everything that runs because of this editor: extension hosts, language servers. */
  processes(): RunningProcess[] {
    return processesOfRun(this.#marker);
  }

  /** A new empty folder to open; its name is the workspace's name. */
  makeWorkspace(name: string): string {
    const folder = path.join(this.home, 'workspaces', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'readme.md'), `# ${name}\n`);
    return folder;
  }

  /** The folder an extension keeps its own files in; it exists once the extension made it. */
  globalStorage(extensionId: string): string {
    return path.join(this.userDataDir, 'User', 'globalStorage', extensionId);
  }

  /** Every log file of the editor and its extension hosts, by path relative to the logs folder. */
  logs(): Map<string, string> {
    const logs = new Map([['editor process', this.#output.join('')]]);
    const dir = path.join(this.userDataDir, 'logs');
    if (!existsSync(dir)) return logs;
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (entry.isFile()) logs.set(path.relative(dir, file), readFileSync(file, 'utf8'));
    }
    return logs;
  }

  /** Ends the editor with all its extension hosts and servers and removes its files. */
  async stop(): Promise<void> {
    await endProcessTree(this.#process, this.#marker);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A folder of extensions with the VSIX in it. The editor installs it once for all tests; the name says which VSIX it is. */
async function extensionsWith(vsix: string): Promise<string> {
  const folder = path.join(places.installedExtensions, createHash('sha256').update(readFileSync(vsix)).digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  mkdirSync(places.installedExtensions, { recursive: true });
  for (const other of readdirSync(places.installedExtensions)) {
    const stale = path.join(places.installedExtensions, other);
    if (Date.now() - statSync(stale).mtimeMs > installationKeptMs) rmSync(stale, { recursive: true, force: true });
  }
  const home = mkdtempSync(path.join(tmpdir(), 'waybill-e2e-install-'));
  try {
    const draft = mkdtempSync(path.join(places.installedExtensions, 'draft-'));
    const output: string[] = [];
    const installer = spawn(process.execPath, [places.editorEntry, '--user-data-dir', path.join(home, 'user-data'), '--extensions-dir', draft, '--config', path.join(home, 'code-server.yaml'), '--install-extension', vsix], { cwd: home, env: { ...plainEnvironment(), HOME: home } });
    collect(installer, output);
    const installed = await new Promise((resolve) => installer.once('exit', resolve));
    if (installed !== 0) throw new Error(`The editor refused the VSIX:\n${output.join('')}`);
    try {
      renameSync(draft, folder);
    } catch (error) {
      // Another test file was faster.
      if (!existsSync(folder)) throw error;
      rmSync(draft, { recursive: true, force: true });
    }
    return folder;
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Puts an extension that is not packed into a folder of extensions, and into the editor's list there. */
function addExtension(extensions: string, source: string): void {
  const { name, publisher, version } = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8')) as { name: string; publisher: string; version: string };
  const relativeLocation = `${publisher}.${name}-${version}`;
  const folder = path.join(extensions, relativeLocation);
  cpSync(source, folder, { recursive: true });
  const list = path.join(extensions, 'extensions.json');
  const installed = JSON.parse(readFileSync(list, 'utf8')) as object[];
  writeFileSync(list, JSON.stringify([...installed, { identifier: { id: `${publisher}.${name}` }, version, location: { $mid: 1, path: folder, scheme: 'file' }, relativeLocation, metadata: { source: 'vsix', installedTimestamp: Date.now() } }]));
}

/** The environment without what npm and the Node test runner add, which would change how children behave. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_)/.test(name)));
}

function collect(child: ChildProcess, output: string[]): void {
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
  }
}
