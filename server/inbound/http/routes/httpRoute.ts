import type { ProtocolName } from '../../../api/conversation.ts';
import type { HttpStatus } from '../../../api/status.ts';
import type { Router } from '../../../router/router.ts';
import type { HttpCall } from '../httpCall.ts';
import type { ToolListMemory } from '../../../protocols/toolLists.ts';
import type { ResponseItemStore } from '../request/responseItemStore.ts';

/**
 * Who may call a route. `loopback`: every program that reaches the server, which is those of this machine unless `serve --host` lets others in;
 * the request must name this server as its host and come from no page of another origin. `token`: as well, the request must carry a token of the local endpoint. `tool`: the endpoint's own token,
 * or that of a connected tool. `owner`: the endpoint's own token, and not one that was made for a tool or a person: for everything under
 * `/waybill/` but the identity. `metrics`: without a token, programs of this machine at the loopback port, and at other addresses readers that the
 * configuration names; others as `owner`.
 */
export type Access = 'loopback' | 'token' | 'tool' | 'owner' | 'metrics';

export type Method = 'GET' | 'HEAD' | 'POST' | 'OPTIONS';

/** Stands for every path, at methods that a path does not serve by itself. */
export const anyPath = '*';

/** What routes work with. */
export interface RouteServices {
  router: Router;
  /** The token of the data folder, which this server proves to have. */
  identityToken: string;
  /** The state of the local endpoint. */
  localEndpoint(): HttpStatus;
  /** The server is about to end: it serves what comes, and wants callers to go elsewhere. */
  isDraining(): boolean;
  /** Output items that callers of the Responses protocol refer to. */
  responseItems: ResponseItemStore;
  /** Lists of tools that come with each request of a conversation. */
  toolLists: ToolListMemory;
}

/** One path of the local endpoint. */
export interface HttpRoute {
  readonly methods: readonly Method[];
  /** In its plain form (plainPath), without the query. Groups of a pattern come to `handle` as `call.groups`. */
  readonly path: string | RegExp;
  readonly access: Access;
  /** The protocol in whose shape errors are written; absent: the one that the caller's headers show. */
  readonly protocol?: ProtocolName | undefined;
  /** Answers. What it throws or rejects with is answered as an error. */
  handle(call: HttpCall, services: RouteServices): void | Promise<void>;
}
