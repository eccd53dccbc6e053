import { t } from '@vscode/l10n';
import type { HttpStatus } from '../../server/api/status.ts';
import { NextStep, UserError } from '../base/errors.ts';
import type { MessageAction } from '../base/errors.ts';

/** What leads on while the local endpoint cannot be reached at its port. */
export const portActions: readonly MessageAction[] = [
  { title: t('Choose Another Port…'), command: 'waybill.chooseLocalEndpointPort' },
  { title: t('Try Again'), command: 'waybill.retryLocalEndpoint' },
];

/** What is wrong with a port as it was typed, or undefined. */
export function portProblem(text: string): string | undefined {
  const port = Number(text);
  return /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? undefined : t('Type a number from 1 to 65535.');
}

/** The local endpoint with its address. @throws NextStep or UserError where no Waybill answers at it */
export function endpointOpen(http: HttpStatus): HttpStatus & { url: string } {
  const trouble = portTrouble(http);
  if (trouble !== undefined) throw new NextStep(trouble, ...portActions);
  if (http.state === 'off') {
    throw new NextStep(t('The local endpoint is switched off by "waybill.localEndpoint.enabled".'), { title: t('Open Settings'), command: 'waybill.openSettings' });
  }
  const { url } = http;
  if (url === undefined) throw new UserError(http.message ?? t('The local endpoint has no address yet: try again in a moment.'));
  return { ...http, url };
}

/** Why the local endpoint cannot be used for now, in one sentence; undefined while nothing is wrong with it. */
export function portTrouble(http: HttpStatus | undefined): string | undefined {
  if (http?.state === 'held-by-another-program') return http.message ?? t('The port of the local endpoint is taken by another program; choose another port.');
  if (http?.state === 'failed') return http.message ?? t('The local endpoint could not be opened; choose another port.');
  return undefined;
}

/** The notice about it: also what becomes of the tools that were connected to the address. */
export function portNotice(trouble: string, state: HttpStatus['state'], tools: readonly string[]): string {
  if (tools.length === 0) return trouble;
  const names = tools.join(', ');
  if (state === 'held-by-another-program') {
    return tools.length === 1 ? t('{0} {1} sends its requests and token to that program: connect it again afterwards, or disconnect it now.', trouble, names)
      : t('{0} {1} send their requests and token to that program: connect them again afterwards, or disconnect them now.', trouble, names);
  }
  return tools.length === 1 ? t('{0} {1} cannot reach Waybill: connect it again afterwards, or disconnect it now.', trouble, names)
    : t('{0} {1} cannot reach Waybill: connect them again afterwards, or disconnect them now.', trouble, names);
}
