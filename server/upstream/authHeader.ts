import type { KeyMaterial } from '../api/messages.ts';
import type { AuthScheme } from '../catalog/provider.ts';

/** The header that carries a credential; the only place where a secret meets a request. */
export function authHeader(scheme: AuthScheme, key: KeyMaterial | undefined): Record<string, string> {
  if (key === undefined) return {};
  switch (scheme) {
    case 'bearer': return { authorization: `Bearer ${key.secret}` };
    case 'x-api-key': return { 'x-api-key': key.secret };
    case 'x-goog-api-key': return { 'x-goog-api-key': key.secret };
    case 'api-key': return { 'api-key': key.secret };
    case 'none': return {};
  }
}
