import { readFile } from 'node:fs/promises';
import { emptyConfig } from './config.ts';
import type { Environment, LoadedConfig, YamlOptions } from './yamlConfig.ts';

/**
 * Reads a headless configuration file; see parseYamlConfig. Never rejects: a file that cannot be read is a problem like
 * any other. The parser and the schema are loaded here, not at start, because the editor never needs them.
 */
export async function loadYamlConfig(path: string, environment: Environment, options: YamlOptions): Promise<LoadedConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return { config: emptyConfig, keys: new Map(), problems: [{ message: `The configuration file cannot be read: ${reasonOf(error)}.`, file: path }], readable: false };
  }
  const { parseYamlConfig } = await import('./yamlConfig.ts');
  return parseYamlConfig(text, path, environment, options);
}

/** The rules in a configuration file as they are written, without its endpoints; undefined where they cannot be taken out of it. */
export async function writtenRules(path: string): Promise<string | undefined> {
  const { rulesIn } = await import('./language/rulesLanguage.ts');
  try {
    return rulesIn(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT': return 'there is no such file';
    case 'EISDIR': return 'it is a folder';
    case 'EACCES':
    case 'EPERM': return 'access is not allowed';
    default: return (error as NodeJS.ErrnoException).code ?? 'for an unknown reason';
  }
}
