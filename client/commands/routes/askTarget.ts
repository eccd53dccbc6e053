import { t } from '@vscode/l10n';
import { parseTargetName, targetName } from '../../../server/api/targetName.ts';
import { leadsTo } from '../../settings/settingsEdits.ts';
import { orderedModels } from '../addProviderSteps.ts';
import { askChoice, valueOf, type Choice } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';

export interface TargetQuestion {
  title: string;
  placeholder: string;
  step?: number;
  totalSteps?: number;
  /** The route that it becomes a part of: other routes that do not lead there are offered too. */
  into?: string;
  /** Offered before the targets. */
  first?: readonly Choice<string>[];
}

/** Asks for a model of any endpoint, as a target; one that no provider lists can be typed. */
export async function askTarget(
  services: CommandServices, present: readonly string[], look: TargetQuestion, only?: string,
): Promise<string | undefined> {
  const endpoints = services.configuration.settings.endpoints;
  const known = (services.server.status?.endpoints ?? []).filter(({ name }) => only === undefined || name === only).flatMap(endpoint =>
    orderedModels(endpoint.models, present.length === 0 ? undefined : { targets: [...present] }).map(model => targetName(endpoint.name, model)));
  const { into, first = [] } = look;
  const { routes } = services.configuration.settings;
  const inner = into === undefined ? [] : Object.keys(routes).filter(name => !present.includes(name) && !leadsTo(routes, name, into));
  const open = known.filter(target => !present.includes(target));
  return valueOf(await askChoice<string>({
    ...look,
    placeholder: t('{0}, or type provider/model', look.placeholder),
    items: [...first, ...open.map(target => ({ label: target, value: target })), ...inner.map(name => ({ label: name, description: t('route'), value: name }))],
    typed: text => {
      const parts = parseTargetName(text);
      if (parts === undefined || endpoints[parts.endpoint] === undefined || known.includes(text) || present.includes(text)) return undefined;
      return { label: t('$(edit) Use "{0}"', text), alwaysShow: true, value: text };
    },
  }));
}
