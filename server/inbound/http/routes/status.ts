import { programVersion } from '../../../base/processIdentity.ts';
import type { HttpRoute } from './httpRoute.ts';

/** The whole state, as the editor shows it, with what all replicas spent today, and the version of the server. */
export const statusRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/status', access: 'owner',
  async handle(call, { router, localEndpoint }) {
    call.json(200, { version: programVersion, ...await router.statusOfReplicas(localEndpoint()) });
  },
};
