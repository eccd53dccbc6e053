import type { ConfigProblem } from '../../api/status.ts';
import { isObject } from '../../base/json.ts';
import { parseYamlConfig, type Environment, type LoadedConfig, type YamlOptions } from '../yamlConfig.ts';
import { readYaml } from '../yamlDocument.ts';
import type { Config } from '../config.ts';

export { complete } from './complete.ts';
export { hover } from './hover.ts';
export { rulesIn, withRules } from './sections.ts';
export { withRulesFile } from './rulesFile.ts';

/** A configuration file that is edited: what it describes, and what is wrong with it. */
export interface DraftRules extends LoadedConfig {
  /** It has endpoints of its own; absent: it uses those of the configuration in use. */
  ownEndpoints: boolean;
}

/**
 * Reads a file as the server would when it is saved. One without endpoints holds rules alone, for the endpoints in use.
 *
 * @param used the configuration in use
 */
export function readDraft(text: string, file: string | undefined, environment: Environment, options: YamlOptions, used: Config): DraftRules {
  const value = valueOf(text);
  const ownEndpoints = !isObject(value) || value['endpoints'] !== undefined && value['endpoints'] !== null;
  const loaded = parseYamlConfig(text, file, environment, ownEndpoints ? options : { ...options, knownEndpoints: used.endpoints });
  return { ...loaded, ownEndpoints };
}

/** Problems in the order of the file. */
export function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function valueOf(text: string): unknown {
  const document = readYaml(text);
  return document.valid ? document.value : undefined;
}
