import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { isLoopbackHost } from '../../../config/baseUrl.ts';
import type { EndpointConfig } from '../../../config/config.ts';

type Placed = Pick<EndpointConfig, 'baseUrl'> & { readonly provider: Pick<EndpointConfig['provider'], 'id'> };

/**
 * Where an endpoint is, as a digest: what replicas found out about an endpoint holds where provider and address are the same. An address of
 * this machine means another server on each machine.
 */
export function placeOf({ provider, baseUrl }: Placed): string {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : '';
  return createHash('sha256').update(JSON.stringify([provider.id, baseUrl, isLoopbackHost(host) ? hostname() : ''])).digest('base64url').slice(0, 22);
}
