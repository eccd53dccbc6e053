import { parseArgs } from 'node:util';
import { suggestion } from '../../config/nearest.ts';
import { wrong, type Command, type Wrong } from './command.ts';
import { Given, type CommandSpec } from './commandSpec.ts';
import { commandTable } from './table.ts';

export { helpText } from './help.ts';

/**
 * Reads the command line. Nothing secret is ever accepted here: other users can see it.
 * @param now milliseconds since the epoch
 */
export function parseCommand(argv: readonly string[], now = Date.now()): Command {
  const [first, ...rest] = argv;
  if (first === undefined || first === '--help' || first === '-h') return { command: 'help', of: undefined };
  if (first === 'help') return rest[0] === undefined ? { command: 'help', of: undefined } : helpOf(rest[0]);
  if (first === '--version' || first === '-V') return { command: 'version', json: false };
  const spec = specOf(first);
  if (spec === undefined) return unknownCommand(first);
  if (rest.includes('--help') || rest.includes('-h')) return { command: 'help', of: spec.name };
  const given = readGiven(spec, rest, now);
  const command = given instanceof Given ? spec.read(given) : given;
  return command.command === 'wrong' ? { ...command, of: spec.name } : command;
}

function specOf(name: string): CommandSpec | undefined {
  return commandTable.find(one => one.name === name);
}

function helpOf(name: string): Command {
  return specOf(name) === undefined ? unknownCommand(name) : { command: 'help', of: name };
}

function unknownCommand(name: string): Wrong {
  return wrong(`"${name}" is not known${suggestion(name, commandTable.map(one => one.name))}`);
}

/** The words and options of a command; what is wrong with them, where something is. */
function readGiven(spec: CommandSpec, argv: readonly string[], now: number): Given | Wrong {
  const options = Object.fromEntries(Object.entries(spec.options).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' as const : 'string' as const, multiple: true }]));
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const words: string[] = [];
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(spec.options, token.name) && token.rawName === `--${token.name}` ? spec.options[token.name] : undefined;
    if (option === undefined) return wrong(`"${token.rawName}" is not known${suggestion(token.rawName, Object.keys(spec.options).map(name => `--${name}`))}`);
    if (option.value === undefined && token.value !== undefined) return wrong(`${token.rawName} takes no value.`);
    // A word with a hyphen in front is the next option, unless it is written behind "=".
    if (option.value !== undefined && (token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('--')))) return wrong(`${token.rawName} needs a value.`);
    values.set(token.name, [...option.many === true ? values.get(token.name) ?? [] : [], token.value ?? '']);
  }
  const action = actionOf(spec, words);
  if (typeof action !== 'string') return action;
  for (const name of values.keys()) {
    const of = spec.options[name]?.of;
    if (of !== undefined && !of.includes(action)) return wrong(`Only ${spec.name} ${of.join(' and ')} has --${name}.`);
  }
  const behind = spec.actions === undefined ? words : words.slice(1);
  if (behind.length > spec.mostWords) return wrong(`"${behind[spec.mostWords] ?? ''}" is not known.`);
  return new Given({ action, words: behind, argv, now, values });
}

function actionOf({ name, actions }: CommandSpec, [word]: readonly string[]): string | Wrong {
  if (actions === undefined) return '';
  const known = Object.keys(actions);
  if (word === undefined) return wrong(`${name} needs one of ${known.join(', ')}.`);
  return Object.hasOwn(actions, word) ? word : wrong(`"${word}" is not one of ${known.join(', ')}${suggestion(word, known)}`);
}
