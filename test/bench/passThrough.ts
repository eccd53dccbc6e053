import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';

/** The yardstick: the least that a Node proxy does. `node passThrough.js UPSTREAM_ORIGIN`; prints `{"url":…}`. */
const [origin = ''] = process.argv.slice(2);

const server = createServer((incoming, outgoing) => {
  const { host: _host, connection: _connection, 'transfer-encoding': _encoding, ...headers } = incoming.headers;
  const method = incoming.method === 'POST' ? 'POST' : 'GET';
  request(origin + (incoming.url ?? '/'), { method, headers, body: method === 'POST' ? incoming : null }).then(
    answer => {
      const { connection: _hop, 'transfer-encoding': _hopEncoding, ...answerHeaders } = answer.headers;
      outgoing.writeHead(answer.statusCode, answerHeaders);
      answer.body.on('error', () => outgoing.destroy());
      outgoing.on('close', () => answer.body.destroy());
      answer.body.pipe(outgoing);
    },
    () => {
      outgoing.writeHead(502);
      outgoing.end();
    });
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.exit(0); }, 1000).unref();
