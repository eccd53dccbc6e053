import { t } from '@vscode/l10n';
import { shownOf } from '../../../server/api/localization/said.ts';
import type { OfferedModel } from '../../../server/api/status.ts';
import type { ToolState } from '../../connect/toolConnector.ts';
import { askChoice, valueOf } from './quickInput.ts';
import type { Choice } from './quickInput.ts';

type ModelChoice = Pick<OfferedModel, 'requestedModel'> & Partial<OfferedModel>;

/** The route or model that a tool should use; undefined when the user leaves. */
export async function askModel(tool: ToolState, offered: readonly OfferedModel[]): Promise<ModelChoice | undefined> {
  return choose(offered, {
    title: t('Connect {0}', tool.name), step: 2, totalSteps: tool.roles.length === 0 ? 2 : 3,
    placeholder: t('Choose the route or model that {0} should use', tool.name),
  });
}

/** What a tool should use for its single roles, where it has any; undefined when the user leaves. */
export async function askRoles({ name, roles }: ToolState, model: ModelChoice, offered: readonly OfferedModel[], inSettings: Readonly<Record<string, string | undefined>>): Promise<Record<string, ModelChoice> | undefined> {
  if (roles.length === 0) return {};
  const titles = roles.map(role => role.title);
  const set = roles.flatMap(({ id, title }) => (inSettings[id] === undefined ? [] : [{ id, title, model: inSettings[id] }]));
  const own = valueOf(await askChoice<'one' | 'settings' | 'each'>({
    title: t('Connect {0}', name), step: 3, totalSteps: 3, placeholder: t('Choose whether "{0}" is used for everything', model.requestedModel),
    items: [
      ...(set.length === 0 ? [] : [{ label: t('$(settings-gear) As in your settings'), description: set.map(one => `${one.title}: ${one.model}`).join(' · '), value: 'settings' as const }]),
      { label: t('$(check-all) Use "{0}" for everything', model.requestedModel), value: 'one' },
      { label: t('$(list-tree) Choose for {0} and {1}…', titles.slice(0, -1).join(', '), titles.at(-1)?.toLowerCase() ?? ''), value: 'each' },
    ],
  }));
  if (own === undefined) return undefined;
  const chosen: Record<string, ModelChoice> = {};
  if (own === 'settings') for (const one of set) chosen[one.id] = offered.find(({ requestedModel }) => requestedModel === one.model) ?? { requestedModel: one.model };
  if (own !== 'each') return chosen;
  for (const [index, { id, title, detail }] of roles.entries()) {
    const answer = await choose(offered, {
      title: t('Connect {0}: {1}', name, title), step: index + 1, totalSteps: roles.length, placeholder: t('Choose the route or model {0}', detail),
    }, { label: t('$(check) As the rest: {0}', model.requestedModel), value: model });
    if (answer === undefined) return undefined;
    if (answer !== model) chosen[id] = answer;
  }
  return chosen;
}

async function choose(
  offered: readonly OfferedModel[], look: { title: string; step: number; totalSteps: number; placeholder: string }, first?: Choice<ModelChoice>,
): Promise<ModelChoice | undefined> {
  const ordered = [...offered].sort((left, right) => Number(right.kind === 'route') - Number(left.kind === 'route'));
  return valueOf(await askChoice<ModelChoice>({
    ...look,
    items: [...(first === undefined ? [] : [first]), ...ordered.map((model): Choice<ModelChoice> => ({
      label: `$(${model.kind === 'route' ? 'git-branch' : 'sparkle'}) ${model.name}`,
      description: model.toolCalling ? detailOf(model) : t('{0} · cannot call tools', detailOf(model)), value: model,
    }))],
    typed: text => (offered.some(model => model.requestedModel === text) ? undefined : { label: t('$(edit) Use "{0}"', text), alwaysShow: true, value: { requestedModel: text } }),
  }));
}

function detailOf({ detail, said }: OfferedModel): string {
  return said === undefined ? detail : shownOf(said);
}
