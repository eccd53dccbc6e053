import { configureRequest, type ConfigureParams, type ConfigureResult, type KeyMaterial } from '../../../api/messages.ts';
import { settingsRulesText } from '../../../api/rules/rulesHistory.ts';
import type { ConfigProblem } from '../../../api/status.ts';
import { Guard } from '../../../base/guarded.ts';
import { keptLabel } from '../../../base/names.ts';
import { networkOf } from '../../../config/network.ts';
import type { ResolveOptions } from '../../../config/resolveOptions.ts';
import type { RawRules } from '../../../config/language/rulesFile.ts';
import { resolveOptions } from '../resolveOptions.ts';
import { ActiveFile, activeText } from '../rules/activeFile.ts';
import type { FeatureContext, LspFeature } from './feature.ts';

/** Takes over the editor's settings and keys, and the rules of the file that the user chose. */
export const configurationFeature: LspFeature = {
  name: 'configuration',
  register(context) {
    const taken = new TakenSettings(context);
    context.editor.onRequest(configureRequest, params => taken.configure(params));
    return { close: () => { taken.close(); } };
  },
};

interface FileRules {
  raw: RawRules;
  problems: ConfigProblem[];
  locate?: ResolveOptions['locate'];
  /** Rules of the file that came into use, as they are written. */
  rules?: string | undefined;
  routes: number;
}

/** The settings as they came last, and the file that stands beside them. */
class TakenSettings {
  readonly #context: FeatureContext;
  readonly #file = new ActiveFile();
  readonly #reload: () => void;
  #latest: ConfigureParams | undefined;
  /** The rules of the file as they could be read last: while it is half written, they hold. */
  #readable: { path: string; text: string } | undefined;

  constructor(context: FeatureContext) {
    this.#context = context;
    this.#reload = new Guard('Reading the rules file', context.router.log).wrap(() => (this.#latest === undefined ? undefined : this.#apply(this.#latest)));
  }

  async configure(params: ConfigureParams): Promise<ConfigureResult> {
    this.#latest = params;
    const problems = await this.#apply(params);
    this.#context.localEndpoint.listen(params.http.enabled ? params.http.port : undefined);
    this.#file.follow(params.rulesFile?.path, this.#reload);
    return { problems };
  }

  close(): void {
    this.#file.close();
  }

  async #apply({ endpoints, routes, aliases, equivalents, tools, caps, budgets, monitoring, keepTitles, keys, network, rulesFile }: ConfigureParams): Promise<ConfigProblem[]> {
    const { router, simulation } = this.#context;
    const played = await simulation.addressed(endpoints);
    const { resolveConfig } = await import('../../../config/resolve.ts');
    const settings: RawRules = { routes, aliases, equivalents, tools, caps };
    router.rules.settings = settings;
    const merged = rulesFile === undefined ? undefined : await this.#withFile(settings, rulesFile);
    const { raw = settings, locate } = merged ?? {};
    const { config, problems } = resolveConfig({ endpoints: played.endpoints, routes: raw.routes, aliases: raw.aliases, equivalents: raw.equivalents, tools: raw.tools, caps: raw.caps, budgets }, { ...resolveOptions, before: router.rules.used, ...(locate === undefined ? {} : { locate }) });
    problems.unshift(...played.problems.map(message => ({ message })), ...merged?.problems ?? []);
    const reached = networkOf(network, process.env, message => { problems.push({ message }); });
    const measured = monitoring === undefined ? undefined : (await import('../../../config/monitoring/resolveMonitoring.ts')).resolveMonitoring(monitoring, process.env, (path, message) => { problems.push({ message, path: path.join('.') }); });
    router.configure({ ...config, ...(measured === undefined ? {} : { monitoring: measured }), ...(keepTitles === true ? { keepTitles } : {}), network: reached }, withBoundedLabels(keys), problems);
    await simulation.endOthers(endpoints);
    // After the secrets in use are known.
    router.rules.keepVersion(settingsRulesText({ routes, aliases: aliases ?? {}, equivalents: equivalents ?? {}, tools: tools ?? {}, caps: caps ?? {} }), Object.keys(routes).length, undefined);
    if (merged?.rules !== undefined) router.rules.keepVersion(merged.rules, merged.routes, rulesFile?.path);
    return problems;
  }

  async #withFile(settings: RawRules, rulesFile: NonNullable<ConfigureParams['rulesFile']>): Promise<FileRules> {
    const { path } = rulesFile;
    const { withRulesFile, rulesIn } = await import('../../../config/language/rulesLanguage.ts');
    const read = activeText(rulesFile);
    if (read.text === undefined) {
      const caps = this.#readable?.path === path ? withRulesFile(settings, this.#readable.text, path, process.env).raw.caps : settings.caps;
      const message = caps === settings.caps ? read.problem : `${read.problem} Until then its caps still hold.`;
      return { raw: { ...settings, caps }, problems: [{ message, file: path }], routes: 0 };
    }
    const merged = withRulesFile(settings, read.text, path, process.env);
    if (merged.readable) {
      this.#readable = { path, text: read.text };
      return { ...merged, rules: rulesIn(read.text) };
    }
    const before = this.#readable?.path === path ? withRulesFile(settings, this.#readable.text, path, process.env).raw : settings;
    return { raw: before, problems: merged.problems, routes: 0 };
  }
}

/** Keys by endpoint, with labels of bounded length. */
function withBoundedLabels(keys: ConfigureParams['keys']): Map<string, KeyMaterial[]> {
  return new Map(Object.entries(keys).map(([endpoint, materials]) => [endpoint, materials.map(key => ({ ...key, label: keptLabel(key.label) ?? 'key' }))]));
}
