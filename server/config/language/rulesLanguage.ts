import type { ConfigProblem } from '../../api/status.ts';
import { isObject } from '../../base/json.ts';
import { parseYamlConfig, type Environment, type LoadedConfig, type YamlOptions } from '../yamlConfig.ts';
import { readYaml } from '../yamlDocument.ts';
import type { Config } from '../config.ts';
import { resolveConfig } from '../resolve.ts';
import { ruleSections, withRulesFile, type RawRules } from './rulesFile.ts';

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
 * @param settings the rules of the editor's settings, which hold beside those of a file without endpoints; undefined: there is no editor
 */
export function readDraft(text: string, file: string | undefined, environment: Environment, options: YamlOptions, used: Config, settings?: RawRules): DraftRules {
  const value = valueOf(text);
  const ownEndpoints = !isObject(value) || value['endpoints'] !== undefined && value['endpoints'] !== null;
  const loaded = parseYamlConfig(text, file, environment, { ...options, before: used, ...(ownEndpoints ? {} : { knownEndpoints: used.endpoints }) });
  if (ownEndpoints || settings === undefined || !loaded.readable) return { ...loaded, ownEndpoints };
  const merged = withRulesFile(settings, text, file ?? 'waybill.yaml', environment, options.ranges);
  const { config, problems } = resolveConfig({ endpoints: {}, ...merged.raw, routes: merged.raw.routes }, { ...options, source: 'settings', knownEndpoints: used.endpoints, before: used, locate: merged.locate });
  return {
    ...loaded, config, ownEndpoints,
    // What is wrong in the settings is said there.
    problems: [...loaded.problems.filter(({ path }) => !ruleSections.some(section => path?.split('.')[0] === section)), ...merged.problems, ...problems.filter(problem => problem.file !== undefined)],
  };
}

/** Problems in the order of the file. */
export function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function valueOf(text: string): unknown {
  const document = readYaml(text);
  return document.valid ? document.value : undefined;
}
