import { t } from '@vscode/l10n';
import { simulatedProvider } from '../../../server/api/firstRun/simulated.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import type { CommandTarget } from '../commandTable.ts';
import { chooseEndpoint } from '../input/pickers.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { addressText, editAddress } from './editAddress.ts';
import { editPolicy, type EditedSettings } from './editPolicy.ts';
import { endpointPolicies, endpointPolicyNames, type EndpointPolicyName } from '../../settings/policies/endpointPolicies.ts';
import { policyText, type Policy } from '../../settings/policies/policy.ts';

/** "Edit Provider…": its address and its policies. Each change is saved at once. */
export async function editProvider(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, t('Edit Provider'));
  if (endpoint === undefined) return;
  const { name } = endpoint;
  const read = (): EndpointSettings => services.configuration.settings.endpoints[name] ?? endpoint.settings;
  const edited: EditedSettings<EndpointSettings> = {
    title: t('Edit Provider "{0}"', name), read,
    write: change => services.configuration.changeEndpoints(endpoints => endpoints[name] === undefined ? endpoints : { ...endpoints, [name]: change(endpoints[name]) }),
  };
  const offer = (await services.server.catalog()).find(({ id }) => id === endpoint.settings.provider);
  // A simulated provider has no address.
  const hasAddress = offer !== undefined && endpoint.settings.provider !== simulatedProvider;
  let last = 0;
  for (;;) {
    const choice = valueOf(await askChoice<EndpointPolicyName | 'address' | 'done'>({
      title: edited.title, placeholder: t('Choose what to change'), active: last,
      items: [
        ...(hasAddress ? [{ label: t('$(link) Address…'), description: addressText(read(), offer), value: 'address' as const }] : []),
        ...endpointPolicyNames.map(policy => ({ label: t('$(gear) {0}…', endpointPolicies[policy].title), description: policyText<EndpointSettings>(endpointPolicies[policy], read()), value: policy })),
        { label: t('$(check) Done'), value: 'done' as const },
      ],
    }));
    if (choice === undefined || choice === 'done') return;
    if (choice === 'address') {
      last = 0;
      if (offer !== undefined) await editAddress(services, endpoint, offer);
      continue;
    }
    last = endpointPolicyNames.indexOf(choice) + (hasAddress ? 1 : 0);
    const policy: Policy<EndpointSettings> = endpointPolicies[choice];
    await editPolicy(services, edited, policy);
  }
}
