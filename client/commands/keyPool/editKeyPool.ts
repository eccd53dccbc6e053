import { t } from '@vscode/l10n';
import { keyRotations, type EndpointSettings, type KeyRotationName } from '../../../server/api/settings.ts';
import { NextStep } from '../../base/errors.ts';
import { describeKey, type MaskedKey } from '../../keys/keyList.ts';
import { withEndpoint } from '../../settings/settingsEdits.ts';
import type { CommandTarget } from '../commandTable.ts';
import { chooseEndpoint } from '../input/pickers.ts';
import { askChoice, askText, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { accountOfKey, accountProblem, rotationDetail, rotationLabels, withAccount, withRotation } from '../../settings/keyPoolSettings.ts';

type PoolChoice = { kind: 'rotation'; rotation: KeyRotationName } | { kind: 'key'; key: MaskedKey } | { kind: 'done' };

/** "Edit Key Pool…": which key of an endpoint a conversation gets, and which keys share their limits. Every change is saved at once. */
export async function editKeyPool(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, t('Edit Key Pool'));
  if (endpoint === undefined) return;
  const { name } = endpoint;
  const keys = await services.keys.list(name);
  if (keys.length < 2) throw new NextStep(keys.length === 0 ? t('{0} has no key, so there is nothing to choose from; add another one first.', name) : t('{0} has one key, so there is nothing to choose from; add another one first.', name), { title: t('Add Key…'), command: 'waybill.addKey' });
  for (;;) {
    const settings = services.configuration.settings.endpoints[name] ?? endpoint.settings;
    const choice = valueOf(await askChoice<PoolChoice>({
      title: t('Keys of {0}', name),
      placeholder: t('Choose which key a new conversation gets, or a key to say which account it belongs to'),
      items: [
        ...(Object.keys(keyRotations) as KeyRotationName[]).map(rotation => ({
          label: `$(${rotation === (settings.keyRotation ?? 'failover') ? 'check' : 'blank'}) ${rotationLabels[rotation]}`, detail: rotationDetail(rotation), value: { kind: 'rotation', rotation } as const,
        })),
        ...keys.map(key => ({ label: `$(key) ${describeKey(key)}`, description: accountText(services, name, settings, key), value: { kind: 'key', key } as const })),
        { label: t('$(check) Done'), value: { kind: 'done' } as const },
      ],
    }));
    if (choice === undefined || choice.kind === 'done') return;
    if (choice.kind === 'rotation') {
      await change(services, name, now => withRotation(now, choice.rotation));
      continue;
    }
    const { label } = choice.key;
    const account = valueOf(await askText({
      title: t('Account of {0}', describeKey(choice.key)), placeholder: t('Name of the account, or empty'), value: accountOfKey(settings, label) ?? '', problem: accountProblem,
      prompt: t('Keys with the same account share their limits: one that is rate-limited or out of money speaks for all. Empty: what the provider says'),
    }));
    if (account !== undefined) await change(services, name, now => withAccount(now, label, account));
  }
}

async function change(services: CommandServices, name: string, edit: (settings: EndpointSettings) => EndpointSettings): Promise<void> {
  await services.configuration.changeEndpoints(all => {
    const written = all[name];
    return written === undefined ? all : withEndpoint(all, name, edit(written));
  });
}

/** The account of a key as the settings have it, or what its provider's answers taught. */
function accountText({ server }: CommandServices, name: string, settings: EndpointSettings, { id, label }: MaskedKey): string {
  const named = accountOfKey(settings, label);
  if (named !== undefined) return t('account {0}', named);
  const shares = server.status?.endpoints.find(endpoint => endpoint.name === name)?.keys.find(key => key.id === id)?.sharesLimitsWith;
  return shares === undefined ? t('limits of its own, as far as known') : t('shares limits with {0}', shares.join(', '));
}
