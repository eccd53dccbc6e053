import type { ConfigProblem } from '../../api/status.ts';
import { isObject } from '../../base/json.ts';
import type { Locate } from '../resolveOptions.ts';
import { configurationSchema } from '../schema.ts';
import { schemaAt, type ConfigPath } from '../schemaProblems.ts';
import { expandTexts, ownerOf, type Environment } from '../yamlConfig.ts';
import { readYaml } from '../yamlDocument.ts';

/** The sections of a file that can stand beside the editor's settings. */
export const ruleSections = ['routes', 'aliases', 'equivalents', 'tools', 'caps'] as const;
export type RuleSection = (typeof ruleSections)[number];
export type RawRules = Partial<Record<RuleSection, unknown>>;

/** Settings and a file of rules together, as they were written. */
export interface MergedRules {
  raw: RawRules;
  problems: ConfigProblem[];
  /** The file could be read. Where not, `raw` is the settings alone. */
  readable: boolean;
  /** How many routes the file has. */
  routes: number;
  /** Where a path is, where the file holds it. */
  locate(path: ConfigPath): ReturnType<Locate>;
}

/**
 * Adds the rules of a file to those of the editor's settings. What both have is taken from the file, and said. Endpoints of the
 * file are not used: keys belong to the endpoints of the settings, so no file can send one of them elsewhere.
 *
 * @param ranges problems have their ranges
 */
export function withRulesFile(settings: RawRules, text: string, file: string, environment: Environment, ranges = false): MergedRules {
  const document = readYaml(text, ranges);
  const located = (path: ConfigPath): ReturnType<MergedRules['locate']> => (
    { file, line: document.lineOf(path), ...(ranges ? { range: document.rangeOf(path, schemaAt(configurationSchema, path) === undefined ? 'name' : 'value') } : {}) }
  );
  const problems: ConfigProblem[] = document.problems.map(problem => ({ ...problem, file }));
  const report = (path: ConfigPath, message: string): void => { problems.push({ message, path: path.join('.'), ...located(path) }); };
  if (!document.valid) return { raw: settings, problems, readable: false, routes: 0, locate: () => ({}) };
  const value = document.value ?? {};
  if (!isObject(value)) {
    report([], 'The rules must be a mapping with "routes", "aliases", "equivalents", "tools" or "caps".');
    return { raw: settings, problems, readable: false, routes: 0, locate: () => ({}) };
  }
  if (value['endpoints'] !== undefined) report(['endpoints'], 'Endpoints of this file are not used in the editor; "Waybill: Add Provider…" adds them, with their keys in the secret store.');
  const rules = expandTexts(Object.fromEntries(ruleSections.map(section => [section, value[section]])), environment, (path, problem) => { report(path, `${ownerOf(path)}: ${problem}.`); });
  const raw: RawRules = {};
  for (const section of ruleSections) {
    const [own, written] = [settings[section], rules[section]];
    if (section === 'caps' && isObject(own) && written !== undefined && written !== null && !isObject(written)) {
      report([section], 'The caps of this file must be a mapping with fields such as turnUsd; until that is corrected, those of the settings hold.');
      raw[section] = own;
      continue;
    }
    if (!isObject(own) || !isObject(written)) {
      raw[section] = written ?? own;
      continue;
    }
    for (const name of Object.keys(written)) if (Object.hasOwn(own, name)) report([section, name], `"${name}" of "${section}" is also in the settings; the one of this file holds.`);
    raw[section] = { ...own, ...written };
  }
  const isInFile = ([section, name]: ConfigPath): boolean => {
    const written = rules[String(section)];
    return isObject(written) && (name === undefined || Object.hasOwn(written, String(name)));
  };
  return { raw, problems, readable: true, routes: isObject(rules['routes']) ? Object.keys(rules['routes']).length : 0, locate: path => (isInFile(path) ? located(path) : {}) };
}
