import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { t } from '@vscode/l10n';

/** How long the start-up files of a shell may take, in milliseconds. */
const shellMs = 10_000;
const largestOutput = 1024 * 1024;
/** Shells that take `-ilc`, a login shell that reads the same files as one in a terminal. */
const knownShells: ReadonlySet<string> = new Set(['bash', 'zsh', 'fish', 'ksh', 'dash', 'sh']);
const mark = '_waybill_variables_';

/** The user's login shell where its variables can be asked for; undefined on Windows and for others. */
export function loginShell(environment: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): string | undefined {
  const shell = environment.SHELL;
  return platform !== 'win32' && shell !== undefined && path.isAbsolute(shell) && knownShells.has(path.basename(shell)) ? shell : undefined;
}

/**
 * The variables that the start-up files of a login shell set. The shell gets none of the editor's variables but those
 * that say whose shell it is, so that it hands on no secret, and nothing of it is in its arguments.
 * @throws Error when the shell does not answer in time; the message holds no output
 */
export async function loginVariables(shell: string, environment: Readonly<Record<string, string | undefined>>): Promise<Record<string, string>> {
  const kept = ['HOME', 'USER', 'LOGNAME', 'SHELL', 'PATH', 'LANG', 'LC_ALL', 'TERM', 'TMPDIR', 'XDG_CONFIG_HOME', 'ZDOTDIR'];
  const env = Object.fromEntries(kept.flatMap(name => (environment[name] === undefined ? [] : [[name, environment[name]]])));
  let stdout: string;
  try {
    // Node's own JSON, because values may hold line breaks; the editor's program is Node where this variable says so.
    const printed = `'${process.execPath.replaceAll("'", `'\\''`)}' -p '"${mark}" + JSON.stringify(process.env) + "${mark}"'`;
    ({ stdout } = await promisify(execFile)(shell, ['-ilc', printed], { env: { ...env, ELECTRON_RUN_AS_NODE: '1' }, timeout: shellMs, maxBuffer: largestOutput, killSignal: 'SIGKILL' }));
  } catch {
    throw new Error(t('did not answer'));
  }
  const [, json] = stdout.split(mark);
  const value: unknown = JSON.parse(json ?? '{}');
  return typeof value === 'object' && value !== null ? value as Record<string, string> : {};
}
