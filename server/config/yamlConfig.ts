import type { KeyMaterial } from '../api/messages.ts';
import type { NetworkSettings } from '../api/settings.ts';
import type { ConfigProblem } from '../api/status.ts';
import { isObject } from '../base/json.ts';
import { emptyConfig } from './config.ts';
import type { Config, KeyRing } from './config.ts';
import { expandVariables } from './environment.ts';
import { suggestion } from './nearest.ts';
import { networkOf, type NetworkConfig } from './network.ts';
import type { ListenConfig } from './listen/listenConfig.ts';
import { resolveListen } from './listen/resolveListen.ts';
import { keepsTitles, resolveLedger } from './ledger/resolveLedger.ts';
import { resolveMonitoring } from './monitoring/resolveMonitoring.ts';
import { withSharedAnswers } from './state/resolveAnswers.ts';
import { resolveState } from './state/resolveState.ts';
import { resolveConfig } from './resolve.ts';
import type { ResolveOptions } from './resolveOptions.ts';
import { configurationSchema, networkSchema } from './schema.ts';
import type { ConfigPath, Report } from './schemaProblems.ts';
import { fieldName, schemaAt, schemaProblems } from './schemaProblems.ts';
import { readYaml } from './yamlDocument.ts';
import { keysOfEndpoint } from './yamlKeys.ts';

export interface LoadedConfig {
  config: Config;
  /** Apart from `config`, which holds no secret but what a header was given. */
  keys: KeyRing;
  problems: ConfigProblem[];
  /**
   * False when the file could not be read as a configuration at all, also when nothing is in it, as in one just being
   * written: who has an older configuration should keep it.
   */
  readable: boolean;
  /** Why it is not readable: there is nothing in it but comments. Who has no older configuration may go on with none. */
  empty?: boolean | undefined;
  /** Where `serve` listens; `wrong`: what is written cannot be used. Nothing else reads it. */
  listen?: ListenConfig | 'wrong' | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;
export interface YamlOptions extends Pick<ResolveOptions, 'catalog' | 'supportedProtocols' | 'knownEndpoints' | 'before'> {
  /** Problems have their ranges, for an editor that shows them in the file. */
  ranges?: boolean | undefined;
}

/**
 * Reads a headless configuration from YAML text. `${NAME}` in any text is replaced from the environment; keys go into
 * the key ring only.
 *
 * @param file the name to give in problems
 */
export function parseYamlConfig(text: string, file: string | undefined, environment: Environment, options: YamlOptions): LoadedConfig {
  const document = readYaml(text, options.ranges);
  const problems: ConfigProblem[] = document.problems.map(problem => ({ ...problem, file }));
  if (!document.valid) return { config: emptyConfig, keys: new Map(), problems, readable: false };
  const locate = (path: ConfigPath): Pick<ConfigProblem, 'file' | 'line' | 'range'> => (
    { file, line: document.lineOf(path), ...(options.ranges === true ? { range: document.rangeOf(path, schemaAt(configurationSchema, path) === undefined ? 'name' : 'value') } : {}) }
  );
  const report: Report = (path, message, unset) => { problems.push({ message, path: path.join('.'), ...(unset === true && options.ranges === true ? { ofEnvironment: true } : {}), ...locate(path) }); };

  if (document.value === null || document.value === undefined) {
    return { config: emptyConfig, keys: new Map(), problems: [...problems, { message: 'The configuration file is empty.', file }], readable: false, empty: true };
  }
  if (!isObject(document.value)) {
    report([], 'The configuration must be a mapping with "endpoints" and "routes".');
    return { config: emptyConfig, keys: new Map(), problems, readable: false };
  }
  const { endpoints, routes: writtenRoutes, aliases, equivalents, tools, caps, budgets, monitoring, state, ledger, listen, network } = sections(document.value, report);
  const leftOut = new Set<string>();
  const expanded = expandTexts({ endpoints, routes: writtenRoutes, aliases, equivalents, tools }, environment, (path, problem, unset) => {
    const [section, name] = path.map(String);
    if (section === 'endpoints' && name !== undefined) leftOut.add(name);
    report(path, `${ownerOf(path)}: ${path.length > 2 ? `in "${fieldName(path.slice(2))}", ` : ''}${problem}.`, unset);
  });
  const resolved = resolveConfig(
    { endpoints: without(expanded['endpoints'], leftOut), routes: expanded['routes'], aliases: expanded['aliases'], equivalents: expanded['equivalents'], tools: expanded['tools'], caps, budgets },
    { ...options, source: 'file', locate, leftOut },
  );
  problems.push(...resolved.problems);
  const measured = resolveMonitoring(monitoring, environment, report);
  const shared = resolveState(state, environment, report);
  const sharedLedger = resolveLedger(ledger, environment, report);
  const routes = withSharedAnswers(resolved.config.routes, shared, isObject(state) && state['answers'] !== undefined, report);
  const config = { ...resolved.config, routes, ...(measured === undefined ? {} : { monitoring: measured }), ...(shared === undefined ? {} : { state: shared }), ...(sharedLedger === undefined ? {} : { ledger: sharedLedger }), ...(keepsTitles(ledger, report) ? { keepTitles: true as const } : {}), network: readNetwork(network, environment, report) };
  const place = resolveListen(listen, environment, report);
  return { config, keys: readKeys(resolved.config, endpoints, environment, report), problems, readable: true, ...(place === undefined ? {} : { listen: place }) };
}

function sections(value: Readonly<Record<string, unknown>>, report: Report): Readonly<Record<'endpoints' | 'routes' | 'aliases' | 'equivalents' | 'tools' | 'caps' | 'budgets' | 'monitoring' | 'state' | 'ledger' | 'listen' | 'network', unknown>> {
  const known = ['endpoints', 'routes', 'aliases', 'equivalents', 'tools', 'caps', 'budgets', 'monitoring', 'state', 'ledger', 'listen', 'network'];
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) report([name], `There is no section "${name}"${suggestion(name, known, '; a configuration has "endpoints", "routes", "aliases", "equivalents", "tools", "caps", "budgets", "monitoring", "state", "ledger", "listen" and "network".')}`);
  }
  return { endpoints: value['endpoints'], routes: value['routes'], aliases: value['aliases'], equivalents: value['equivalents'], tools: value['tools'], caps: value['caps'], budgets: value['budgets'], monitoring: value['monitoring'], state: value['state'], ledger: value['ledger'], listen: value['listen'], network: value['network'] };
}

/** Replaces the variables in every text but keys; a text that cannot be replaced is reported and becomes undefined. */
export function expandTexts(root: Record<string, unknown>, environment: Environment, report: Report): Record<string, unknown> {
  const expand = (value: unknown, path: ConfigPath): unknown => {
    if (typeof value === 'string') {
      const expanded = expandVariables(value, environment);
      if (!('problem' in expanded)) return expanded.text;
      report(path, expanded.problem, expanded.unset);
      return undefined;
    }
    if (Array.isArray(value)) return value.map((item, index) => expand(item, [...path, index]));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => {
      const isKeys = path.length === 2 && path[0] === 'endpoints' && name === 'keys';
      return [name, isKeys ? inner : expand(inner, [...path, name])];
    }));
  };
  return Object.fromEntries(Object.entries(root).map(([name, value]) => [name, expand(value, [name])]));
}

/** Whose problem it is, as the beginning of a sentence. */
export function ownerOf(path: ConfigPath): string {
  const [section, name] = path.map(String);
  if (name === undefined) return 'The configuration';
  if (section === 'aliases') return `Alias "${name}" is left out`;
  if (section === 'equivalents') return `What stands in for "${name}"`;
  if (section === 'tools') return `Tool "${name}"`;
  return section === 'endpoints' ? `Endpoint "${name}" is left out` : `Route "${name}"`;
}

function without(section: unknown, names: ReadonlySet<string>): unknown {
  return isObject(section) ? Object.fromEntries(Object.entries(section).filter(([name]) => !names.has(name))) : section;
}

/** The network as file and environment describe it. A section with a mistake counts as absent. */
function readNetwork(written: unknown, environment: Environment, report: Report): NetworkConfig {
  const wrong = written === undefined || written === null ? [] : schemaProblems(networkSchema, written);
  for (const { path, text } of wrong) report(['network', ...path], `The section "network" is left out: ${text}`);
  const settings = wrong.length === 0 && isObject(written) ? written as NetworkSettings : undefined;
  return networkOf(settings, environment, message => { report([], message); });
}

function readKeys(config: Config, written: unknown, environment: Environment, report: Report): KeyRing {
  const ring = new Map<string, readonly KeyMaterial[]>();
  const literals: { endpoint: string; path: ConfigPath }[] = [];
  for (const [name, endpoint] of config.endpoints) {
    const { keys, problems, literal } = keysOfEndpoint(endpoint, isObject(written) ? written[name] : undefined, environment);
    for (const problem of problems) report(problem.path, problem.message, problem.unset);
    if (literal !== undefined) literals.push({ endpoint: name, path: literal });
    if (keys.length > 0) ring.set(name, keys);
  }
  const [first] = literals;
  if (first !== undefined) {
    const names = literals.map(literal => `"${literal.endpoint}"`).join(', ');
    report(first.path, `Keys of ${names} are written out in this file; put them into environment variables and write \${NAME} instead.`);
  }
  return ring;
}
