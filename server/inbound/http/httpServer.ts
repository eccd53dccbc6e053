import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { HttpStatus } from '../../api/status.ts';
import type { Log } from '../../base/log.ts';
import { hopsHeader } from '../../base/hops.ts';
import type { Router } from '../../router/router.ts';
import type { AddressRules } from './addresses/addressRules.ts';
import { presentedToken, whyShut, type TokenCheck, type TokenOwner } from './auth/access.ts';
import { HttpCall } from './httpCall.ts';
import { ToolListMemory } from '../../protocols/toolLists.ts';
import { isTooLarge } from './request/readBody.ts';
import { ResponseItemStore } from './request/responseItemStore.ts';
import { refuseUnreadable } from './request/unreadableRequest.ts';
import type { Access, RouteServices } from './routes/httpRoute.ts';
import { routeTable } from './routes/table.ts';

export interface HttpServerOptions {
  router: Router;
  token: TokenCheck;
  log: Log;
  /** The token of the data folder, which the server proves to have. */
  identityToken: string;
  /** The state of the local endpoint. */
  localEndpoint(): HttpStatus;
}

const loopMessage = 'This request has come back to the Waybill that sent it. Take the endpoint that leads back here out of the route.';

/** What proxies add. Whoever comes through one is not known to be a program of this machine. */
const forwardingHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'] as const;

/** A request without Host is refused by us, so that its refusal is in the caller's protocol and read to the end. */
const serverOptions: ServerOptions = { maxHeaderSize: 64 * 1024, keepAliveTimeout: 65_000, requestTimeout: 300_000, headersTimeout: 60_000, requireHostHeader: false };

/** The local endpoint: one HTTP server that speaks the callers' protocols. */
export class HttpServer {
  readonly server: Server;
  #token: TokenCheck;
  #log: Log;
  readonly #services: RouteServices;
  #draining = false;
  readonly #others: Server[] = [];

  constructor({ router, token, log, identityToken, localEndpoint }: HttpServerOptions) {
    this.#token = token;
    this.#log = log;
    this.#services = { router, identityToken, localEndpoint, isDraining: () => this.#draining, responseItems: new ResponseItemStore(), toolLists: new ToolListMemory() };
    this.server = prepared(createServer(serverOptions, (request, response) => this.#receive(request, response, undefined)));
  }

  /** A server for another address, which answers the same requests. @param make creates it, with or without TLS */
  another<S extends Server>(rules: AddressRules, make: (options: ServerOptions, listener: (request: IncomingMessage, response: ServerResponse) => void) => S): S {
    const server = prepared(make(serverOptions, (request, response) => this.#receive(request, response, rules)));
    this.#others.push(server);
    return server;
  }

  /** From now on the server is not ready, and each answer ends its connection, so that callers connect elsewhere. */
  startDraining(): void {
    this.#draining = true;
  }

  /** Connections of all addresses on which a request runs. Those without one are closed. */
  async closeIdle(): Promise<number> {
    const servers = [this.server, ...this.#others];
    for (const server of servers) server.closeIdleConnections();
    const counts = await Promise.all(servers.map(server => new Promise<number>(resolve => { server.getConnections((error, count) => { resolve(error === null ? count : 0); }); })));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** @param rules of another address than the loopback port */
  #receive(request: IncomingMessage, response: ServerResponse, rules: AddressRules | undefined): void {
    if (this.#draining) response.shouldKeepAlive = false;
    const call = new HttpCall(request, response, this.#log, rules);
    call.answer(() => this.#dispatch(call, rules));
  }

  #mayReadMetrics(request: IncomingMessage, rules: AddressRules | undefined): boolean {
    const { socket, headers } = request;
    const isForwarded = forwardingHeaders.some(name => headers[name] !== undefined);
    const { monitoring } = this.#services.router;
    return rules === undefined ? monitoring.mayRead(socket.remoteAddress, isForwarded) : monitoring.mayReadElsewhere(rules.knownCallerOf(request, isForwarded));
  }

  #dispatch(call: HttpCall, rules: AddressRules | undefined): void | Promise<void> {
    const { request, refusal } = call;
    const { route, ofPath, groups } = routeTable.find(call.path, request.method ?? '');
    call.groups = groups;
    call.protocol = ofPath[0]?.protocol;
    if (refusal !== undefined) return call.refuse(refusal.status, refusal.message);
    if (route?.access !== 'loopback' && !(route?.access === 'metrics' && this.#mayReadMetrics(request, rules))) {
      const owner = this.#token.ownerOf(presentedToken(request.headers));
      if (owner === undefined) {
        rules?.refused(request);
        return call.refuse(401,
          'The token of the local Waybill endpoint is missing or wrong. Send the content of its token file as Authorization: Bearer, x-api-key or x-goog-api-key.');
      }
      const shut = owner.access === undefined && owner.unreadable === undefined ? undefined : whyShut(owner, this.#services.router.clock.now());
      if (shut !== undefined) return call.refuse(401, shut);
      if (isForOthers(route?.access, owner)) {
        return call.refuse(403, `The token of ${owner.tool === undefined ? owner.access?.name ?? '' : 'a connected tool'} may not do this. Send the token of the local endpoint itself: "Waybill: Copy Local Endpoint Token…" copies it.`);
      }
      call.tenant = owner.digest;
      call.tool = owner.tool;
      call.access = owner.access;
    }
    const hops = request.headers[hopsHeader];
    if (hops !== undefined && this.#services.router.hasSeen(hops)) return call.refuse(508, loopMessage);
    if (route !== undefined) return route.handle(call, this.#services);
    if (ofPath.some(({ methods }) => methods.includes('POST'))) {
      call.response.setHeader('allow', 'POST');
      return call.refuse(405, `Use POST for ${call.sentPath}.`);
    }
    return call.refuse(404, `There is no ${request.method === 'GET' ? '' : `${request.method ?? ''} `}${call.sentPath} here.`);
  }
}

function prepared<S extends Server>(server: S): S {
  // A caller may close its side after the request and still read (see halfClosed.ts). Node has the option, its types do not.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('clientError', refuseUnreadable);
  // Without this listener Node asks for every announced body, also for one that is refused.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!isTooLarge(request)) response.writeContinue();
    server.emit('request', request, response);
  });
  return server;
}

/** A route is not for the owner of a token: tools and people reach nothing of the administration, and people none of the tools for agents. */
function isForOthers(access: Access | undefined, { tool, access: made }: TokenOwner): boolean {
  switch (access) {
    case 'owner':
    case 'metrics': return (tool ?? made) !== undefined;
    case 'tool': return tool === undefined && made !== undefined;
    default: return false;
  }
}
