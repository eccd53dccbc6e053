import { t } from '@vscode/l10n';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import { NextStep } from '../../base/errors.ts';
import { countOf, formatListTime } from '../../base/figures.ts';
import { formatCost } from '../../base/money.ts';
import { callerText, outcomeText } from '../../base/outcomeWording.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';

const offered = 50;

/** Lets the user choose one of the latest requests. @param except one that is not offered @throws NextStep where there is none */
export async function askRequest({ server }: Pick<CommandServices, 'server'>, title: string, placeholder: string, except?: string): Promise<string | undefined> {
  const requests = (await server.requests({ limit: offered })).filter(({ id }) => id !== except);
  if (requests.length === 0) {
    throw new NextStep(except === undefined ? t('There is no request yet. Send one, then ask again.') : t('There is no other request yet. Send one, then ask again.'), { title: t('Open Chat'), command: 'waybill.openChat' });
  }
  return chooseRequest(requests, title, placeholder);
}

/** Lets the user choose one of some requests. */
export async function chooseRequest(requests: readonly RequestSummary[], title: string, placeholder: string): Promise<string | undefined> {
  const now = Date.now();
  const style = { locale: currentLanguage() };
  return valueOf(await askChoice({
    title, placeholder,
    items: requests.map(request => ({
      label: request.requestedModel, description: request.target === undefined ? '' : `→ ${request.target}`,
      detail: [
        formatListTime(request.startedAt, now, style), callerText(request.caller), outcomeText(request.outcome, request.failedAttempts, request.failureClass, request.attempts),
        countOf(request.attempts, 'attempt'), ...(request.outcome === 'open' ? [] : [t('cost {0}', formatCost(request.cost))]),
      ].join(' · '),
      value: request.id,
    })),
  }));
}
