import { t } from '@vscode/l10n';
import type { PriceSettings } from '../../../server/api/settings.ts';
import { parseTargetName, targetName } from '../../../server/api/targetName.ts';
import { UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import { targetsOf } from '../../settings/settingsEdits.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askChoice, askText, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { priceDescription, pricedModels, pricesOf, priceSteps, pricesText, readPrice, withModelPrices } from './priceDraft.ts';

/** Of the latest requests so many are looked at for models without a price. */
const lookedAt = 200;
const title = t('Set Prices');

/** "Set Prices…": of one model at one provider, in US dollars a million tokens. Nothing is written before the last step. */
export async function setPrices(services: CommandServices, given: CommandTarget): Promise<void> {
  const { configuration } = services;
  const target = givenTarget(given) ?? await askModel(services, given.endpoint);
  const parts = target === undefined ? undefined : parseTargetName(target);
  if (target === undefined || parts === undefined) return;
  if (configuration.settings.endpoints[parts.endpoint] === undefined) throw new UserError(t('The provider "{0}" is not in your settings any more, so its models have no prices there.', parts.endpoint));
  const before = pricesOf(configuration.settings.endpoints[parts.endpoint], parts.model);
  const typed = new Map<keyof PriceSettings, number | undefined>();
  let step = 0;
  for (let asked = priceSteps[step]; asked !== undefined; asked = priceSteps[step]) {
    const { field, prompt, isRequired } = asked;
    const known = typed.has(field) ? typed.get(field) : before?.[field];
    const answer = await askText({
      title: t('Set Prices of {0}', target), step: step + 1, totalSteps: priceSteps.length, canGoBack: step > 0, placeholder: isRequired ? '0.42' : '', prompt, ...(known === undefined ? {} : { value: String(known) }),
      problem: (text) => {
        const price = readPrice(text, isRequired);
        return typeof price === 'string' ? price : undefined;
      },
    });
    if (answer.kind === 'cancel') return;
    if (answer.kind === 'value') {
      const price = readPrice(answer.value, isRequired);
      typed.set(field, typeof price === 'string' ? undefined : price);
    }
    step += answer.kind === 'back' ? -1 : 1;
  }
  const prices: PriceSettings = {
    inputPerMTok: typed.get('inputPerMTok') ?? 0, outputPerMTok: typed.get('outputPerMTok') ?? 0,
    ...optional('cacheReadPerMTok', typed.get('cacheReadPerMTok')), ...optional('cacheWritePerMTok', typed.get('cacheWritePerMTok')), ...optional('cacheWrite1hPerMTok', before?.cacheWrite1hPerMTok),
  };
  await configuration.changeEndpoints(endpoints => withModelPrices(endpoints, target, prices));
  void inform(t('From now on requests to {0} cost {1} for a million tokens. Earlier ones stay as they are.', target, pricesText(prices)));
}

/** Of a line of the Providers view, or of a receipt. */
function givenTarget({ endpoint, model, target }: CommandTarget): string | undefined {
  return endpoint !== undefined && model !== undefined ? targetName(endpoint, model) : target;
}

async function askModel({ server, configuration }: CommandServices, only: string | undefined): Promise<string | undefined> {
  const { endpoints, routes } = configuration.settings;
  const known = [
    ...Object.values(routes).flatMap(targetsOf),
    ...Object.entries(endpoints).flatMap(([name, { models }]) => Object.keys(models ?? {}).map(model => targetName(name, model))),
    ...(server.status?.endpoints ?? []).flatMap(({ name, models }) => models.map(model => targetName(name, model))),
  ];
  const models = pricedModels(endpoints, known, await server.requests({ limit: lookedAt })).filter(({ target }) => only === undefined || parseTargetName(target)?.endpoint === only);
  return valueOf(await askChoice<string>({
    title, placeholder: t('Choose a model, or type provider/model'),
    items: models.map(model => ({ label: model.target, description: priceDescription(model), value: model.target })),
    typed: (text) => {
      const parts = parseTargetName(text);
      return parts === undefined || endpoints[parts.endpoint] === undefined || models.some(({ target }) => target === text) ? undefined : { label: t('$(edit) Use "{0}"', text), alwaysShow: true, value: text };
    },
  }));
}

function optional<Name extends keyof PriceSettings>(name: Name, price: number | undefined): Pick<PriceSettings, Name> | object {
  return price === undefined ? {} : { [name]: price };
}
