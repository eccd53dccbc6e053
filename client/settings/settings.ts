import type { BudgetSettings } from '../../server/api/budgets/budgetSettings.ts';
import { said, told } from '../../server/api/localization/said.ts';
import type { MonitoringSettings } from '../../server/api/monitoring/monitoringSettings.ts';
import type { CapSettings, EndpointSettings, NetworkSettings, RouteSettings, ToolModelSettings } from '../../server/api/settings.ts';
import type { ConfigProblem } from '../../server/api/status.ts';

export const statusBarChoices = ['health', 'spend', 'both', 'off'] as const;
export type StatusBarChoice = (typeof statusBarChoices)[number];
export const shownModelsChoices = ['routes', 'all'] as const;
export type ShownModels = (typeof shownModelsChoices)[number];

/** The user's settings with every default filled in. */
export interface ClientSettings {
  endpoints: Record<string, EndpointSettings>;
  routes: Record<string, RouteSettings>;
  /** The user's own names for models. */
  aliases: Record<string, string>;
  /** Models that may stand in for a model, by its name. */
  equivalents: Record<string, string[]>;
  /** What tools get for names of models that they ask for by themselves, by tool. */
  tools: Record<string, ToolModelSettings>;
  /** A file of rules beside the settings. */
  rulesFile?: string | undefined;
  /** What requests may cost, whatever they ask for. */
  /** Absent: none are written. Not checked yet. */
  caps?: CapSettings | undefined;
  /** Not checked yet. */
  budgets: Record<string, BudgetSettings>;
  /** Absent: nothing is measured. Not checked yet. */
  monitoring?: MonitoringSettings | undefined;
  /** Ids of extensions whose requests in the editor are refused. */
  blockedExtensions: readonly string[];
  /** The first words of conversations are kept in the ledger. */
  keepTitles: boolean;
  localEndpoint: { enabled: boolean; port: number };
  statusBar: StatusBarChoice;
  shownModels: ShownModels;
  /** Agents of the editor are offered Waybill's tools. */
  agentTools: boolean;
}

/** Setting names without `waybill.`, with their defaults. package.json says the same; a test compares them. */
export const settingDefaults = {
  'endpoints': {},
  'routes': {},
  'aliases': {},
  'equivalents': {},
  'tools': {},
  'rulesFile': '',
  'caps': {},
  'budgets': {},
  'monitoring': {},
  'blockedExtensions': [],
  'keepTitles': false,
  'localEndpoint.enabled': true,
  'localEndpoint.port': 7717,
  'statusBar.show': 'health',
  'models.show': 'routes',
  'agentTools.enabled': false,
} as const;
export type SettingName = keyof typeof settingDefaults;

export interface SettingsReading {
  settings: ClientSettings;
  /** What is wrong in the settings before the server has even seen them. */
  problems: ConfigProblem[];
}

/**
 * Builds the settings from the user's own values. `userValue` gives the value in the user's settings.json, or
 * undefined: a workspace has no say, since it could redirect prompts and keys.
 */
export function readSettings(userValue: (name: SettingName) => unknown): SettingsReading {
  const problems: ConfigProblem[] = [];
  const localEndpointEnabled = userValue('localEndpoint.enabled');
  const port = userValue('localEndpoint.port');
  const rulesFile = userValue('rulesFile');
  const caps = userValue('caps');
  const monitoring = userValue('monitoring');
  return {
    settings: {
      endpoints: withoutKeys(objectsByName<EndpointSettings>('endpoints', userValue('endpoints'), problems), problems),
      routes: objectsByName<RouteSettings>('routes', userValue('routes'), problems),
      aliases: aliasesOf(userValue('aliases'), problems),
      equivalents: equivalentsOf(userValue('equivalents'), problems),
      tools: objectsByName<ToolModelSettings>('tools', userValue('tools'), problems),
      ...(typeof rulesFile === 'string' && rulesFile.trim() !== '' ? { rulesFile: rulesFile.trim() } : {}),
      // As they are written: the server says what is wrong with them, and what caps until that is corrected.
      ...(caps === undefined || caps === null ? {} : { caps: caps as CapSettings }),
      // The same.
      budgets: (userValue('budgets') ?? {}) as Record<string, BudgetSettings>,
      ...(isEmpty(monitoring) ? {} : { monitoring: monitoring as MonitoringSettings }),
      blockedExtensions: textsOf(userValue('blockedExtensions')),
      keepTitles: userValue('keepTitles') === true,
      localEndpoint: {
        enabled: typeof localEndpointEnabled === 'boolean' ? localEndpointEnabled : settingDefaults['localEndpoint.enabled'],
        port: typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65535 ? port : settingDefaults['localEndpoint.port'],
      },
      statusBar: oneOf(statusBarChoices, userValue('statusBar.show')) ?? settingDefaults['statusBar.show'],
      shownModels: oneOf(shownModelsChoices, userValue('models.show')) ?? settingDefaults['models.show'],
      agentTools: userValue('agentTools.enabled') === true,
    },
    problems,
  };
}

/** A setting without a value, or with the default of an empty mapping. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** VS Code's own settings, without `http.`, that say how this machine reaches the outside. */
export type NetworkSettingName = 'proxy' | 'noProxy' | 'proxyStrictSSL' | 'proxyAuthorization' | 'proxySupport' | 'systemCertificates';

/**
 * Builds the network settings from the user's own values: a workspace has no say, since its proxy would see keys and
 * prompts. What has the wrong type counts as not written.
 */
export function readNetworkSettings(userValue: (name: NetworkSettingName) => unknown): NetworkSettings {
  const text = (name: NetworkSettingName): string | undefined => {
    const value = userValue(name);
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  };
  const flag = (name: NetworkSettingName): boolean | undefined => {
    const value = userValue(name);
    return typeof value === 'boolean' ? value : undefined;
  };
  const noProxy = userValue('noProxy');
  return {
    proxy: text('proxy'),
    noProxy: Array.isArray(noProxy) ? noProxy.filter(host => typeof host === 'string') : undefined,
    proxyStrictSSL: flag('proxyStrictSSL'),
    proxyAuthorization: text('proxyAuthorization'),
    proxySupport: text('proxySupport'),
    systemCertificates: flag('systemCertificates'),
  };
}

function oneOf<const Choice extends string>(choices: readonly Choice[], value: unknown): Choice | undefined {
  return choices.find(choice => choice === value);
}

/** What the objects hold is for the server to check: it owns the schema. */
function objectsByName<Entry extends object>(name: 'endpoints' | 'routes' | 'tools', value: unknown, problems: ConfigProblem[]): Record<string, Entry> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) {
    problems.push({ path: name, ...told(said('"waybill.{0}" must be an object of {1} by name.', name, name)) });
    return {};
  }
  const entries: Record<string, Entry> = {};
  for (const [key, entry] of Object.entries(value)) {
    if (isEntry<Entry>(entry)) entries[key] = entry;
    else problems.push({ path: `${name}.${key}`, ...told(said('"waybill.{0}" › "{1}" must be an object.', name, key)) });
  }
  return entries;
}

/** The server checks the names; here only what cannot be a list of them is taken out. */
function equivalentsOf(value: unknown, problems: ConfigProblem[]): Record<string, string[]> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) {
    problems.push({ path: 'equivalents', ...told(said('"waybill.equivalents" must be an object of lists of models by model.')) });
    return {};
  }
  const equivalents: Record<string, string[]> = {};
  for (const [model, names] of Object.entries(value)) {
    if (Array.isArray(names) && names.every(name => typeof name === 'string')) equivalents[model] = names;
    else problems.push({ path: `equivalents.${model}`, ...told(said('"waybill.equivalents" › "{0}" must be a list of names of models.', model)) });
  }
  return equivalents;
}

/** The texts of a list; what else is in it is no id of an extension. */
function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : [];
}

/** The server checks each alias; here only what cannot be one at all is taken out. */
function aliasesOf(value: unknown, problems: ConfigProblem[]): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) {
    problems.push({ path: 'aliases', ...told(said('"waybill.aliases" must be an object of model names by alias.')) });
    return {};
  }
  const aliases: Record<string, string> = {};
  for (const [alias, model] of Object.entries(value)) {
    if (typeof model === 'string') aliases[alias] = model;
    else problems.push({ path: `aliases.${alias}`, ...told(said('"waybill.aliases" › "{0}" must be the name of a model.', alias)) });
  }
  return aliases;
}

function withoutKeys(endpoints: Record<string, EndpointSettings>, problems: ConfigProblem[]): Record<string, EndpointSettings> {
  const clean: Record<string, EndpointSettings> = {};
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const { keys, ...rest } = endpoint;
    if (keys !== undefined) {
      problems.push({
        path: `endpoints.${name}.keys`,
        ...told(said('Keys do not belong in settings.json: remove "keys" of "{0}" there and use "Waybill: Add Key…", which stores it safely.', name)),
      });
    }
    clean[name] = rest;
  }
  return clean;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEntry<Entry extends object>(value: unknown): value is Entry {
  return isRecord(value);
}
