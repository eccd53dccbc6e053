import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Where a debugger finds the server while the extension host itself is debugged; see CONTRIBUTING.md. */
const inspectPort = 6009;

/** The process of a server. */
export interface ServerChild {
  process: ChildProcess;
  /** Resolves once it has ended or could not be started, with how: `ended with code 1`. Never rejects. */
  ended: Promise<string>;
}

/**
 * Starts the server bundle, as a process of its own that is spoken to over Node IPC. It starts up while what speaks to it is loaded.
 * @param module path of the bundle @param dataDir the server's data folder, which is made if it is missing
 * @throws the system's error when the folder cannot be made
 */
export function forkServer(module: string, dataDir: string): ServerChild {
  mkdirSync(dataDir, { recursive: true });
  // The data folder is an argument because the server's compiled code is there. `clientProcessId`: the server ends when that process has ended.
  const child = fork(module, ['--data', dataDir, '--node-ipc', `--clientProcessId=${String(process.pid)}`], {
    // A server that runs in a workspace would look for programs there first, and keep the folder from being deleted.
    cwd: dataDir,
    // The warning is about node:sqlite and would be the first line of every log.
    execArgv: ['--disable-warning=ExperimentalWarning', ...(isDebugged(process.execArgv) ? [`--inspect=${String(inspectPort)}`] : [])],
    // The editor's own program runs scripts where this is set.
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', ELECTRON_NO_ASAR: '1' },
    silent: true,
  });
  const ended = new Promise<string>(resolve => {
    child.once('error', error => { resolve(`could not be started: ${error.message}`); });
    child.once('exit', (code, signal) => { resolve(signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}`); });
  });
  return { process: child, ended };
}

function isDebugged(execArgv: readonly string[]): boolean {
  return execArgv.some(argument => /^--(?:inspect|debug)(?:-brk)?(?:=|$)/.test(argument));
}
