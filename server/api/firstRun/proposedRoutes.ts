import { t } from '@vscode/l10n';
import { requestType } from '../messageTypes.ts';
import type { EndpointSettings } from '../settings.ts';

/** Routes that are proposed, each with what it is for as the end of a sentence. */
export const proposedRoutes = {
  best: t('the most capable model of each provider, at the highest price'),
  fast: t('the small, quick model of each provider'),
  cheap: t('the cheapest model of each provider, the cheapest provider first'),
  local: t('models that run on this machine'),
} as const;
export type ProposedRouteName = keyof typeof proposedRoutes;

export interface ProposedTarget {
  /** `endpoint/model`, with the model as the provider lists it. */
  target: string;
  /** Such as `$3 in / $15 out per 1M`; absent: not known. */
  pricing?: string | undefined;
}
export interface ProposedRoute { name: ProposedRouteName; targets: ProposedTarget[] }

/** Client -> server, request: routes that these endpoints could make, from the catalog's facts and prices. Nothing is written or asked. */
export interface ProposeRoutesParams {
  endpoints: { name: string; settings: EndpointSettings; /** As the provider lists them. */ models: readonly string[] }[];
}
/** In the order of `proposedRoutes`; a route without a target is left out. */
export type ProposeRoutesResult = ProposedRoute[];
export const proposeRoutesRequest = requestType<ProposeRoutesParams, ProposeRoutesResult>('waybill/proposeRoutes');
