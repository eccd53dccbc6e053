import type { LanguageServerCommand, Wrong } from './command.ts';

const valueNames = new Set(['--config', '--data', '--clientProcessId']);

/**
 * Reads the command line of an editor, which has `--stdio` or `--node-ipc`. It is read apart from commands, so that an editor's
 * start loads nothing of them.
 * @returns undefined where it is none
 */
export function languageServerArguments(argv: readonly string[]): LanguageServerCommand | Wrong | undefined {
  if (argv[0]?.startsWith('--') !== true || !argv.some(word => word === '--stdio' || word === '--node-ipc') || argv.includes('--help')) return undefined;
  const values = new Map<string, string>();
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    const [name = '', inline] = word.split(/=(.*)/s, 2);
    if (valueNames.has(name)) {
      const value = inline ?? argv[++index];
      if (value === undefined || value === '') return { command: 'wrong', message: `${name} needs a value.` };
      values.set(name, value);
    } else if (word !== '--stdio' && word !== '--node-ipc') return { command: 'wrong', message: `"${word}" is not known.` };
  }
  return { command: 'language-server', configFile: values.get('--config'), dataDir: values.get('--data') };
}
