import { ruleVersionRequest, ruleVersionsRequest, settingsRulesText, type RuleVersion, type RuleVersionParams, type RuleVersionResult, type SettingsRules } from '../../../api/rules/rulesHistory.ts';
import { isObject, parseJson } from '../../../base/json.ts';
import type { KeptVersion } from '../../../router/rules/ruleVersions.ts';
import type { FeatureContext, LspFeature } from './feature.ts';

/** The last versions of the rules, and what a return to one of them writes. The editor writes it, so that it can be undone there. */
export const rulesHistoryFeature: LspFeature = {
  name: 'rulesHistory',
  register(context) {
    const { editor, router } = context;
    editor.onRequest(ruleVersionsRequest, () => listed(router.rules.versions()));
    editor.onRequest(ruleVersionRequest, params => versionOf(context, params));
    return undefined;
  },
};

function listed(versions: readonly KeptVersion[]): RuleVersion[] {
  return versions.map(({ id, at, file, routes }, index) => ({
    id, at, routes, latest: versions.findIndex(one => one.file === file) === index, ...(file === undefined ? {} : { file }),
  }));
}

async function versionOf({ router }: FeatureContext, { id, fileNow }: RuleVersionParams): Promise<RuleVersionResult> {
  const versions = router.rules.versions();
  const version = versions.find(one => one.id === id);
  if (version === undefined) return { refused: 'This version of the rules is not kept any more; open "Rules History…" again.' };
  const { file, text } = version;
  if (file === undefined) {
    const settings = settingsIn(text);
    if (settings === undefined) return { refused: 'This version of the rules cannot be read.' };
    return { kind: 'settings', text: settingsRulesText(settings), now: versions.find(one => one.file === undefined)?.text ?? '', settings };
  }
  const { rulesIn, withRules } = await import('../../../config/language/rulesLanguage.ts');
  const [now, restored] = fileNow === undefined ? ['', withRules('', text)] : [rulesIn(fileNow), withRules(fileNow, text)];
  if (now === undefined || restored === undefined) return { refused: `${file} cannot be read as sections on lines of their own; correct it first, or copy the version by hand.` };
  return { kind: 'file', text, now: router.rules.redact(now), file: restored };
}

function settingsIn(text: string): SettingsRules | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const section = (name: string): Record<string, never> => (isObject(value[name]) ? value[name] as Record<string, never> : {});
  const known = (name: 'equivalents' | 'caps'): Record<string, Record<string, never>> => (isObject(value[name]) ? { [name]: section(name) } : {});
  return { routes: section('routes'), aliases: section('aliases'), tools: section('tools'), ...known('equivalents'), ...known('caps') };
}
