import { readFileSync } from 'node:fs';
import path from 'node:path';
import { seededRandom } from '../../unit/support/seededRandom.ts';
import type { SeenRequest, Turn } from '../wires/wire.ts';

/** What the scripted model wants done in the project. */
export type Act =
  | { readonly do: 'read'; readonly file: string }
  | { readonly do: 'search'; readonly words: string; readonly folder: string }
  | { readonly do: 'run'; readonly command: string }
  /** A comment in front of the export with this number in the file. */
  | { readonly do: 'edit'; readonly file: string; readonly at: number }
  /** Another agent does some steps of its own and reports. */
  | { readonly do: 'delegate'; readonly name: string; readonly steps: readonly Step[] };

/** The calls of one answer. */
export type Step = readonly Act[];

type Call = NonNullable<Turn['calls']>[number];

/** Text of a request that starts another agent: its first message has it, and no other conversation's. */
export function mandateOf(name: string): string {
  return `Errand "${name}": look through the files, and report what you find in a few paragraphs. Change nothing.`;
}

/** The call by which an agent does this, in the tools that it offers. @throws where it offers none for it */
export function callOf(act: Act, { tools }: SeenRequest, folder: string): Call {
  const offered = new Set(tools.map(({ name }) => name));
  const has = (...names: readonly string[]): string | undefined => names.find(name => offered.has(name));
  const shell = (command: string): Call => {
    const name = has('Bash', 'bash', 'exec_command') ?? missing('shell', offered);
    return name === 'exec_command' ? { name, input: { cmd: command, workdir: folder } } : { name, input: { command, description: 'Looks at the project' } };
  };
  switch (act.do) {
    case 'run': return shell(act.command);
    case 'search': return shell(`grep -rn "${act.words}" ${act.folder}`);
    case 'read': {
      const file = path.join(folder, act.file);
      if (offered.has('Read')) return { name: 'Read', input: { file_path: file } };
      return offered.has('read') ? { name: 'read', input: { filePath: file } } : shell(`cat ${act.file}`);
    }
    case 'edit': return editCall(act, offered, folder, shell);
    case 'delegate': {
      const name = has('Agent', 'Task', 'task') ?? missing('agent', offered);
      return { name, input: { description: act.name, prompt: mandateOf(act.name), subagent_type: name === 'task' ? 'general' : 'general-purpose' } };
    }
  }
}

function editCall({ file, at }: Act & { do: 'edit' }, offered: ReadonlySet<string>, folder: string, shell: (command: string) => Call): Call {
  const lines = readFileSync(path.join(folder, file), 'utf8').split('\n');
  const exported = lines.filter(line => line.startsWith('export ') && lines.filter(other => other.includes(line)).length === 1);
  const line = exported[at % exported.length] ?? missing(`export in ${file}`, offered);
  const comment = `// ${prose(14, at + line.length)}`;
  const [before, after] = [line, `${comment}\n${line}`];
  if (offered.has('Edit')) return { name: 'Edit', input: { file_path: path.join(folder, file), old_string: before, new_string: after } };
  if (offered.has('edit')) return { name: 'edit', input: { filePath: path.join(folder, file), oldString: before, newString: after } };
  const patch = `*** Begin Patch\n*** Update File: ${file}\n@@\n-${before}\n+${comment}\n+${before}\n*** End Patch\n`;
  return offered.has('apply_patch') ? { name: 'apply_patch', input: patch } : shell(`apply_patch <<'EOF'\n${patch}EOF\n`);
}

function missing(what: string, offered: ReadonlySet<string>): never {
  throw new Error(`The script needs a ${what}, and only these are offered: ${[...offered].join(', ')}`);
}

const words = 'the target plan cache request answer price route order turn prompt model first last cold warm because therefore each other keeps leaves reads counts where which is not a of in to and it that'.split(' ');

/** Words of no meaning: answers have a length here, and nothing else. The same seed makes the same ones. */
export function prose(count: number, seed: number): string {
  const random = seededRandom(seed + 1);
  return Array.from({ length: count }, (_, index) => (words[Math.floor(random() * words.length)] ?? 'the') + (index % 17 === 16 ? '.' : '')).join(' ');
}
