import type { ServerResponse } from 'node:http';
import { endAfterBody } from '../sendJson.ts';
import { anyPath, type HttpRoute } from './httpRoute.ts';

/** What tools send to find out whether a server is there at all. */
export const greetingRoutes: readonly HttpRoute[] = [
  { methods: ['GET'], path: '/', access: 'loopback', handle: ({ response }) => greet(response) },
  { methods: ['HEAD'], path: anyPath, access: 'loopback', handle: ({ response }) => greet(response) },
  {
    methods: ['OPTIONS'], path: anyPath, access: 'loopback',
    handle({ response }) {
      // No cross-origin permissions: web pages may not use the local endpoint.
      response.writeHead(204, { allow: 'GET, POST, HEAD, OPTIONS' });
      endAfterBody(response, Buffer.alloc(0));
    },
  },
];

function greet(response: ServerResponse): void {
  const text = Buffer.from('Waybill\n');
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': text.length });
  endAfterBody(response, text);
}
