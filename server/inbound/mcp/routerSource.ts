import type { HttpStatus } from '../../api/status.ts';
import type { Router } from '../../router/router.ts';
import type { McpSource } from './mcpTools.ts';

/** What the tools for agents read where a router runs. @param localEndpoint its state now */
export function routerSource(router: Router, localEndpoint: () => HttpStatus): McpSource {
  return {
    now: () => router.clock.now(), spend: range => router.spend(range), find: (params, signal) => router.find(params, signal), receipt: id => router.receipt(id),
    live: { status: () => router.status(localEndpoint()), statusOfReplicas: () => router.statusOfReplicas(localEndpoint()), tryRoute: params => router.tryRoute(params) },
  };
}
