import { answerIdentity, identityPath } from '../auth/identity.ts';
import type { HttpRoute } from './httpRoute.ts';

/** Proves to other server processes of this user that this one holds the port. */
export const identityRoute: HttpRoute = {
  methods: ['GET'], path: identityPath, access: 'loopback',
  handle: ({ request, response }, { identityToken }) => answerIdentity(request, response, identityToken),
};
