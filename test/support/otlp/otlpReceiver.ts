import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { readMetrics, readTraces, type ReceivedMetric, type ReceivedSpan } from './otlpShape.ts';

/** What the receiver does with a request: an answer, or none at all. */
export type ReceiverBehaviour = { status: number; headers?: Record<string, string>; body?: string } | 'silent';

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** The metrics of each request, the newest last. */
  readonly metrics: ReceivedMetric[][];
  readonly requests: { path: string; headers: IncomingHttpHeaders; body: string }[];
  /** What is wrong with what came. */
  readonly wrong: string[];
  /** From now on. */
  behaviour: ReceiverBehaviour;
  close(): Promise<void>;
}

/** A receiver of OTLP over HTTP in JSON that takes nothing that is not exactly so. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[][] = [];
  const requests: OtlpReceiver['requests'] = [];
  const wrong: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      if (receiver.behaviour === 'silent') return;
      try {
        if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json') throw new Error('it is no POST of JSON');
        if (receiver.behaviour.status === 200) {
          if (request.url === '/v1/traces') spans.push(...readTraces(body));
          else if (request.url === '/v1/metrics') metrics.push(readMetrics(body));
          else throw new Error(`there is no ${request.url ?? ''}`);
        }
      } catch (error) {
        wrong.push(String(error));
        response.writeHead(400).end();
        return;
      }
      response.writeHead(receiver.behaviour.status, { 'content-type': 'application/json', ...receiver.behaviour.headers }).end(receiver.behaviour.body ?? '{}');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, spans, metrics, requests, wrong, behaviour: { status: 200 },
    close: () => new Promise(resolve => {
      server.close(() => { resolve(); });
      server.closeAllConnections();
    }),
  };
  return receiver;
}
