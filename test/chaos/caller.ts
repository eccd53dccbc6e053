import http from 'node:http';
import { bodyOf, headersOf, pathOf, type ChaosRequest } from './requests.ts';
import type { Reply } from './judge.ts';

/** No request of a chaos run lasts this long unless the router has lost it. */
const forgottenMs = 60_000;

/** Sends one request over HTTP and waits until it has ended, well or not. */
export function send(request: ChaosRequest, to: { url: string; token: string }, agent: http.Agent): Promise<Reply> {
  return new Promise(resolve => {
    const reply: Reply = {
      startedAt: Date.now(), endedAt: 0, status: undefined, target: undefined, exchange: undefined, text: '', endedCleanly: false,
      trouble: undefined, cancelled: false, timesEnded: 0,
    };
    const chunks: Buffer[] = [];
    const ended = (): void => {
      reply.timesEnded += 1;
      if (reply.timesEnded > 1) return;
      clearTimeout(cancel);
      clearTimeout(forgotten);
      reply.endedAt = Date.now();
      reply.text = Buffer.concat(chunks).toString('utf8');
      // A second end would come at once.
      setImmediate(() => resolve(reply));
    };
    const body = Buffer.from(JSON.stringify(bodyOf(request)));
    const call = http.request(to.url + pathOf(request), {
      method: 'POST', agent, headers: { ...headersOf(request, to.token), 'content-length': body.length },
    }, response => {
      reply.status = response.statusCode;
      reply.target = headerOf(response, 'x-waybill-target');
      reply.exchange = headerOf(response, 'x-waybill-exchange');
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => undefined);
      response.on('close', () => {
        reply.endedCleanly = response.complete;
        ended();
      });
    });
    call.on('error', error => {
      reply.trouble = error.message;
      // Once an answer has begun, its own end says more.
      if (reply.status === undefined) ended();
    });
    const cancel = request.cancelAfterMs === undefined ? undefined : setTimeout(() => {
      reply.cancelled = true;
      call.destroy();
    }, request.cancelAfterMs);
    const forgotten = setTimeout(() => call.destroy(new Error(`nothing ended it within ${forgottenMs / 1000} s`)), forgottenMs);
    call.end(body);
  });
}

function headerOf(response: http.IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
