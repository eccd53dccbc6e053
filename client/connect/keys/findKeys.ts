import { existsSync } from 'node:fs';
import path from 'node:path';
import { t } from '@vscode/l10n';
import { ConfigFileError, readConfigFile } from '../configFile.ts';
import type { Surroundings } from '../tool.ts';
import { ofWorkspace, withAddresses } from './addresses.ts';
import type { Findings, FoundKey, KeyPlace, NotTaken } from './foundKey.ts';
import { joined, noFindings } from './foundKey.ts';
import { loginShell, loginVariables } from './loginShell.ts';
import { contentOf, toolFiles } from './toolKeys.ts';
import { keysInVariables } from './variables.ts';

/** What is looked through: this machine, and the folders of a workspace that the user trusts. */
export interface SearchedMachine extends Omit<Surroundings, 'exists'> {
  platform: NodeJS.Platform;
  /** Empty where the workspace is not trusted. */
  trustedFolders: readonly string[];
}

const workspaceFiles = ['.env', '.env.local'];

/** The places where keys may stand, as far as they are there. Only names of files are looked at. */
export function keyPlaces(machine: SearchedMachine): KeyPlace[] {
  const { home, environment, platform, trustedFolders } = machine;
  const shell = loginShell(environment, platform);
  const tools = new Map<string, string[]>();
  for (const { tool, file } of toolFiles({ home, environment, exists: existsSync })) if (existsSync(file)) tools.set(tool, [...tools.get(tool) ?? [], shortened(file, home)]);
  const folders = trustedFolders.flatMap(folder => workspaceFiles.map(name => path.join(folder, name))).filter(file => existsSync(file));
  return [
    { id: 'environment', name: t('Environment of the editor'), reads: t('variables such as OPENAI_API_KEY'), isPicked: true },
    // A shell runs what its start-up files say, and files of a workspace hold what others wrote: both wait for a choice.
    ...(shell === undefined ? [] : [{ id: 'shell', name: t('Login shell'), reads: t('runs {0} with its start-up files, for the same variables', shell), isPicked: false }]),
    ...[...tools].map(([tool, files]) => ({ id: `tool:${tool}`, name: tool, reads: files.join(', '), isPicked: true })),
    ...(folders.length === 0 ? [] : [{ id: 'workspace', name: t('This workspace'), reads: folders.map(file => shortened(file, home)).join(', '), isPicked: false }]),
  ];
}

/**
 * Reads the chosen places and gives back what they hold. A place that cannot be read is named and stops nothing; no
 * message holds a value.
 */
export async function findKeys(machine: SearchedMachine, chosen: ReadonlySet<string>): Promise<Findings> {
  const { home, environment, trustedFolders } = machine;
  const where: Surroundings = { home, environment, exists: existsSync };
  const files = toolFiles(where).filter(({ tool }) => chosen.has(`tool:${tool}`));
  const shell = chosen.has('shell') ? loginShell(environment, machine.platform) : undefined;
  const inEnvironment = keysInVariables(t('Environment of the editor'), environment);
  const elsewhere = await Promise.all([
    ...(shell === undefined ? [] : [shell]).map(one => readPlace(t('Login shell'), one, async () => keysInVariables(t('Login shell'), await loginVariables(one, environment)))),
    ...files.map(({ tool, file, format, read }) => readFile(tool, file, home, text => read(tool, contentOf(format, text), where))),
  ]);
  const inWorkspace = await Promise.all((chosen.has('workspace') ? trustedFolders : []).flatMap(folder => workspaceFiles.map(name =>
    readFile(`${name} of ${path.basename(folder)}`, path.join(folder, name), home, text => keysInVariables(`${name} of ${path.basename(folder)}`, contentOf('env', text))))));
  const found = withAddresses(joined([
    // Addresses of the environment hold for keys of other places whether or not its keys are asked for.
    chosen.has('environment') ? inEnvironment : { ...noFindings(), addresses: inEnvironment.addresses ?? [] },
    ...elsewhere, ofWorkspace(joined(inWorkspace)),
  ]));
  return { keys: withoutRepeats(found.keys), notTaken: uniqueNotes(found.notTaken) };
}

async function readFile(place: string, file: string, home: string, read: (text: string) => Findings): Promise<Findings> {
  return readPlace(place, shortened(file, home), async () => {
    const { text } = await readConfigFile(file);
    return text === undefined ? noFindings() : read(text);
  });
}

/** The words of a parser may quote the text, so they are not passed on. */
async function readPlace(place: string, source: string, read: () => Promise<Findings>): Promise<Findings> {
  try {
    return await read();
  } catch (error) {
    return { keys: [], notTaken: [{ place, source, why: error instanceof ConfigFileError ? t('cannot be read here.') : t('could not be understood.') }] };
  }
}

/** One key in several places is one key, with all of them. */
function withoutRepeats(keys: readonly FoundKey[]): FoundKey[] {
  const unique = new Map<string, FoundKey>();
  for (const key of keys) {
    const id = JSON.stringify([key.provider, key.baseUrl, key.secret]);
    const known = unique.get(id);
    if (known === undefined) {
      unique.set(id, { ...key });
      continue;
    }
    if (key.ofWorkspace !== true) delete known.ofWorkspace;
    if (!known.place.split(', ').includes(key.place)) known.place = `${known.place}, ${key.place}`;
  }
  return [...unique.values()];
}

function uniqueNotes(notes: readonly NotTaken[]): NotTaken[] {
  return [...new Map(notes.map(note => [JSON.stringify(note), note])).values()];
}

function shortened(file: string, home: string): string {
  return file.startsWith(home + path.sep) ? `~${file.slice(home.length)}` : file;
}
