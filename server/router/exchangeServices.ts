import { logText } from '../api/logText.ts';
import type { SecretRegister } from '../base/secrets/redact.ts';
import type { NetworkAwareHealthRegistry } from '../health/healthReader.ts';
import type { ExchangeServices } from '../exchange/services.ts';
import { codecFor } from '../protocols/registry.ts';
import { makePlan } from '../routing/makePlan.ts';
import { unknownNameMessage } from '../routing/unknownName.ts';
import type { CurrentConfig } from './currentConfig.ts';
import type { HedgeSpend } from './spend/hedgeSpend.ts';

/** The parts that exchanges use as they are, and those that answer the rest of their questions. */
export interface ExchangeServicesOptions
  extends Pick<ExchangeServices, 'routeTable' | 'view' | 'transport' | 'admission' | 'timers' | 'spending' | 'hedges' | 'keepAliveMs' | 'clock' | 'random' | 'log' | 'providerMessages' | 'repairs' | 'responses' | 'decisions' | 'tracePassing' | 'events'> {
  current: CurrentConfig;
  register: SecretRegister;
  healthRegistry: NetworkAwareHealthRegistry;
  hedgeSpend: Pick<HedgeSpend, 'spentToday'>;
}

export function exchangeServices({ current, register, hedgeSpend, ...parts }: ExchangeServicesOptions): ExchangeServices {
  const services: ExchangeServices = {
    ...parts,
    makePlan,
    codecFor,
    config: () => current.config,
    unknownNameMessage: requestedModel => unknownNameMessage(logText(register.redact(requestedModel)), parts.routeTable()),
    hedgeSpentToday: route => hedgeSpend.spentToday(route),
    networkTrouble: () => parts.healthRegistry.networkTrouble()?.kind,
    redact: text => register.redact(text),
    excerpt: (text, maxLength) => register.excerpt(text, maxLength),
    holds: text => register.holds(text),
  };
  return services;
}
