import { t } from '@vscode/l10n';
import { endpointBillings, keyRotations, type EndpointBilling, type EndpointSettings, type KeyRotationName } from '../../../server/api/settings.ts';
import { rotationDetail, rotationLabels, withRotation } from '../keyPoolSettings.ts';
import { withField, withPart, type NumberField, type Policy } from './policy.ts';
import { timeoutPolicy } from './timeouts.ts';

const billingLabels: Readonly<Record<EndpointBilling, string>> = { usage: t('By what is used'), subscription: t('By a plan'), free: t('Not at all') };

function limit(name: 'requestsPerMinute' | 'tokensPerMinute' | 'concurrency', title: string, prompt: string, max: number): NumberField<EndpointSettings> {
  return {
    kind: 'number', title, prompt, unit: '', whole: true, min: 1, max, unset: t('none of your own'),
    get: ({ limits }) => limits?.[name], set: (settings, value) => withPart(settings, 'limits', name, value),
  };
}

function place(name: 'priority' | 'weight', look: Pick<NumberField, 'title' | 'prompt' | 'min' | 'max' | 'whole'>): NumberField<EndpointSettings> {
  return { kind: 'number', ...look, unit: '', unset: '100', get: settings => settings[name], set: (settings, value) => withField(settings, name, value) };
}

/** What "Edit Provider…" offers, in the order in which it is shown. One more is an entry here, as in `routePolicies.ts`. */
export const endpointPolicies = {
  billing: {
    title: t('How it is paid for'),
    fields: [{
      kind: 'choice', title: t('How it is paid for'),
      values: (Object.keys(endpointBillings) as EndpointBilling[]).map(name => ({
        label: billingLabels[name], detail: endpointBillings[name].charAt(0).toUpperCase() + endpointBillings[name].slice(1),
        change: settings => withField(settings, 'billing', name === 'usage' ? undefined : name), isOf: ({ billing = 'usage' }) => billing === name,
      })),
    }],
  },
  place: {
    title: t('Its place among providers of the same model'), unset: t('after those that have one'),
    fields: [
      place('priority', { title: t('Priority'), prompt: t('For a request that asks for a model by name: the smaller number is tried first'), whole: true, min: 1, max: 1000 }),
      place('weight', { title: t('Weight'), prompt: t('Of providers with the same priority, the one with the larger weight comes first'), min: 0, max: 1_000_000 }),
    ],
  },
  keyRotation: {
    title: t('Which of several keys a conversation gets'),
    fields: [{
      kind: 'choice', title: t('Which of several keys a conversation gets'),
      values: (Object.keys(keyRotations) as KeyRotationName[]).map(name => ({
        label: rotationLabels[name], detail: rotationDetail(name), change: settings => withRotation(settings, name), isOf: ({ keyRotation = 'failover' }) => keyRotation === name,
      })),
    }],
  },
  limits: {
    title: t('Limits of your own'), unset: t("the provider's, as it reports them"),
    fields: [
      limit('requestsPerMinute', t('Requests a minute'), t('Requests in any 60 seconds'), 10_000_000),
      limit('tokensPerMinute', t('Tokens a minute'), t('Tokens in any 60 seconds, in and out'), 1_000_000_000_000),
      limit('concurrency', t('At the same time'), t('Requests at the same time'), 100_000),
    ],
  },
  timeouts: timeoutPolicy<EndpointSettings>(t('learnt from its own answers')),
} as const satisfies Readonly<Record<string, Policy<EndpointSettings>>>;

export type EndpointPolicyName = keyof typeof endpointPolicies;
export const endpointPolicyNames = Object.keys(endpointPolicies) as EndpointPolicyName[];
