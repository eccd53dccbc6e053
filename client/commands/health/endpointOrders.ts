import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { saidOf } from '../../../server/api/condition.ts';
import { pauseEnd, pauseSaid, type EndpointAction, type EndpointOrder, type EndpointOrderResult, type PauseSpan } from '../../../server/api/endpoints/pause.ts';
import { said, shownIfKnown } from '../../../server/api/localization/said.ts';
import type { EndpointStatus } from '../../../server/api/status.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import { checkHealth } from '../endpointCommands.ts';
import type { CommandTarget } from '../commandTable.ts';
import { addProviderAction } from '../input/pickers.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';

const spanLabels: Readonly<Record<PauseSpan, string>> = {
  '15m': t('For 15 Minutes'), '1h': t('For 1 Hour'), 'tomorrow': t('Until Tomorrow'), 'resumed': t('Until I Resume It'),
};
const spanDetails: Readonly<Record<PauseSpan, string>> = {
  '15m': '', '1h': '', 'tomorrow': t('until midnight'), 'resumed': t('also after a restart of the editor'),
};

/** "Pause Endpoint…": asks for how long; requests go around it until then, in every window. */
export async function pauseEndpoint(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await endpointOf(services, target, t('Pause Endpoint'), one => one.enabled && one.condition.kind !== 'paused', t('No endpoint can be chosen for this: every enabled endpoint is paused already.'));
  if (endpoint === undefined) return;
  const span = valueOf(await askChoice<PauseSpan>({
    title: t('Pause "{0}"', endpoint), placeholder: t('For how long should requests go around it?'),
    items: (Object.keys(spanLabels) as PauseSpan[]).map(value => ({ label: spanLabels[value], description: spanDetails[value], value })),
  }));
  if (span === undefined) return;
  const message = await order(services, { action: 'pause', endpoint, ...pauseEnd(span, Date.now()) });
  const resume = t('Resume');
  void inform(message, resume).then(async pick => {
    if (pick === resume) await vscode.commands.executeCommand('waybill.resumeEndpoint', { endpoint });
  });
}

/** "Resume Endpoint". */
export async function resumeEndpoint(services: CommandServices, target: CommandTarget): Promise<void> {
  await say(services, target, 'resume', t('Resume Endpoint'), one => one.condition.kind === 'paused', t('No endpoint can be chosen for this: no endpoint is paused.'));
}

/** "Reset Breaker": forgets the failures of an endpoint, so that requests go to it again at once. */
export async function resetBreaker(services: CommandServices, target: CommandTarget): Promise<void> {
  await say(services, target, 'reset', t('Reset Breaker'), one => one.enabled, t('No endpoint can be chosen for this: no endpoint is enabled.'));
}

/** "Probe Now": asks one endpoint, a paused one too, and says what was found. */
export async function probeNow(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await endpointOf(services, target, t('Probe Now'), one => one.enabled, t('No endpoint can be chosen for this: no endpoint is enabled.'));
  if (endpoint !== undefined) await checkHealth(services, { endpoint });
}

async function say(services: CommandServices, target: CommandTarget, action: EndpointAction, title: string, fits: (endpoint: EndpointStatus) => boolean, none: string): Promise<void> {
  const endpoint = await endpointOf(services, target, title, fits, none);
  if (endpoint === undefined) return;
  void inform(await order(services, { action, endpoint }));
}

async function order(services: CommandServices, params: EndpointOrder): Promise<string> {
  const result = await services.server.endpoint(params);
  if ('refused' in result) throw new UserError(result.refused);
  return orderText(params, result);
}

/** What a server said of an order, in the language of the editor. What it says besides stays as it is. */
function orderText({ action, endpoint }: EndpointOrder, { endpoints, message }: Exclude<EndpointOrderResult, { refused: string }>, now = Date.now()): string {
  const condition = endpoints.find(one => one.endpoint === endpoint)?.condition;
  if (condition === undefined) return message;
  const state = saidOf(condition, now);
  const isFree = condition.kind === 'healthy' || condition.kind === 'unknown';
  switch (action) {
    case 'pause': return shownIfKnown(message, [said('{0} is {1}; requests go around it.', endpoint, pauseSaid(condition, now))]);
    case 'resume': return shownIfKnown(message, [said('{0} is resumed; requests can go to it again.', endpoint)]);
    case 'reset': return shownIfKnown(message, [isFree ? said('{0}: its failures are forgotten, its breakers are closed and its cooldowns are over.', endpoint)
      : said('{0}: its failures are forgotten, its breakers are closed and its cooldowns are over. What is left: {1}.', endpoint, state)]);
    case 'probe': return shownIfKnown(message, [said('{0}: {1}.', endpoint, state)]);
  }
}

/** The endpoint that a command was called on, or one of those that fit. Endpoints of a rules file count, too. @param none that none fits, and why, as a sentence */
async function endpointOf({ server }: CommandServices, target: CommandTarget, title: string, fits: (endpoint: EndpointStatus) => boolean, none: string): Promise<string | undefined> {
  if (target.endpoint !== undefined) return target.endpoint;
  const all = server.status?.endpoints ?? [];
  const fitting = all.filter(fits);
  if (all.length === 0) throw new NextStep(t('There is no provider yet.'), addProviderAction);
  if (fitting.length === 0) throw new NextStep(none);
  if (fitting.length === 1) return fitting[0]?.name;
  return valueOf(await askChoice({
    title, placeholder: t('Choose an endpoint'), items: fitting.map(one => ({ label: one.name, description: one.providerName, value: one.name })),
  }));
}
