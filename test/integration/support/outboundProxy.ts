import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { certificateSignedBy } from '../../../server/sandbox/selfSignedCertificate.ts';

/** A proxy of a company network: only it knows where hosts are. It is strict where real ones are. */
export interface OutboundProxy {
  /** `host:port`. */
  readonly address: string;
  /** What it was asked for, such as `CONNECT llm.example:443`. */
  readonly asked: string[];
  /** Ports on this machine by the host they stand for. */
  readonly hosts: Map<string, number>;
  /** What it answers instead of connecting or forwarding. */
  refusal: { status: number; headers?: string } | undefined;
  /** Connections are accepted and never answered. */
  silent: boolean;
  /** Ends every connection there is, and takes new ones. */
  dropConnections(): void;
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** `user:password`; without it everyone may use the proxy. */
  login?: string | undefined;
  tls?: { cert: string; key: string } | undefined;
  /** It reads what is in the tunnels: to callers it shows certificates that this authority has signed. What it read is in `asked` too. */
  inspects?: { name: string; key: string } | undefined;
  /** The port it listens on, for one that comes back. */
  port?: number | undefined;
}

/** A page that a proxy answers with itself, as squid 5.7 words and marks it. */
function ownPage(error: string): { headers: Record<string, string>; page: string } {
  return { headers: { 'server': 'squid/5.7', 'content-type': 'text/html;charset=utf-8', 'x-squid-error': error }, page: `<!DOCTYPE html><html><head><title>ERROR: The requested URL could not be retrieved</title></head><body>${error}</body></html>` };
}

/** An HTTP proxy: CONNECT for TLS, whole requests with absolute addresses for plain HTTP. RFC 9110, section 9.3.6; RFC 9112, section 3.2.2. */
export async function startHttpProxy({ login, tls, inspects, port: ownPort }: ProxyOptions = {}): Promise<OutboundProxy> {
  const sockets = new Set<Duplex>();
  const mayUse = (request: IncomingMessage): boolean => login === undefined || request.headers['proxy-authorization'] === `Basic ${Buffer.from(login).toString('base64')}`;
  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  server.on('request', (request, response) => {
    const port = portOf(proxy, request);
    if (proxy.silent) return;
    // Squid and others refuse a path alone: it is not meant for a proxy.
    if (!/^http:\/\//.test(request.url ?? '')) { response.writeHead(400).end('no absolute address'); return; }
    if (!mayUse(request)) { response.writeHead(407, { 'proxy-authenticate': 'Basic realm="corp"' }).end('login needed'); return; }
    if (proxy.refusal !== undefined || port === undefined) {
      const { headers, page } = ownPage(proxy.refusal === undefined ? 'ERR_DNS_FAIL 0' : 'ERR_ACCESS_DENIED 0');
      response.writeHead(proxy.refusal?.status ?? 503, headers).end(page);
      return;
    }
    const target = new URL(request.url ?? '');
    if (request.headers.host !== target.host) { response.writeHead(400).end('host and address differ'); return; }
    const { 'proxy-authorization': _login, ...headers } = request.headers;
    const onward = httpRequest({ host: '127.0.0.1', port, method: request.method, path: target.pathname + target.search, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    sockets.add(socket.on('error', () => undefined));
    const port = portOf(proxy, request);
    if (proxy.silent) return;
    const { refusal } = proxy;
    const refuse = (status: number, headers = ''): void => {
      const { page } = ownPage('ERR');
      socket.end(`HTTP/1.1 ${status} No\r\n${headers}content-type: text/html\r\ncontent-length: ${page.length}\r\n\r\n${page}`);
    };
    if (refusal !== undefined) refuse(refusal.status, refusal.headers);
    else if (!mayUse(request)) refuse(407, 'proxy-authenticate: Basic realm="corp"\r\n');
    else if (port === undefined) refuse(503);
    else if (inspects !== undefined) inspect(request.url?.replace(/:\d+$/, '') ?? '', socket as Socket, port);
    else join(socket, port, () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'));
  });
  const proxy = await listening(server, sockets, ownPort);
  /** Ends the TLS of the caller with a certificate of its own, and encrypts anew to the target, whose certificate it does not verify. */
  const inspect = (host: string, socket: Socket, port: number): void => {
    const authority = inspects ?? { name: '', key: '' };
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    const opened = new TLSSocket(socket, { isServer: true, ...certificateSignedBy(authority, host), ALPNProtocols: ['http/1.1'] });
    const onward = connectTls({ host: '127.0.0.1', port, servername: host, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    for (const one of [opened, onward]) sockets.add(one.on('error', () => undefined));
    opened.once('data', (chunk: Buffer) => { proxy.asked.push(`read ${chunk.toString('latin1').split('\r\n', 1)[0] ?? ''}`); });
    opened.pipe(onward);
    onward.pipe(opened);
    onward.on('close', () => opened.destroy());
    opened.on('close', () => onward.destroy());
  };
  return proxy;
}

function portOf(proxy: OutboundProxy, request: IncomingMessage): number | undefined {
  const url = request.url ?? '';
  proxy.asked.push(`${request.method} ${url}`);
  const host = request.method === 'CONNECT' ? url.replace(/:\d+$/, '') : URL.canParse(url) ? new URL(url).hostname : '';
  return proxy.hosts.get(host);
}

function join(socket: Duplex, port: number, opened: () => void): void {
  const onward = connect(port, '127.0.0.1', () => {
    opened();
    onward.pipe(socket);
    socket.pipe(onward);
  });
  onward.on('error', () => socket.destroy());
  socket.on('close', () => onward.destroy());
}

/** A SOCKS proxy of version 5: RFC 1928 and RFC 1929. It writes down whether it was asked for a name or an address. */
export async function startSocksProxy({ login }: Pick<ProxyOptions, 'login'> = {}): Promise<OutboundProxy> {
  const sockets = new Set<Duplex>();
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => undefined));
    if (proxy.silent) return;
    let step: 'greeting' | 'login' | 'request' | 'joined' = 'greeting';
    let read = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      if (step === 'joined') return;
      read = Buffer.concat([read, chunk]);
      if (step === 'greeting' && read.length >= 2 && read.length >= 2 + (read[1] ?? 0)) {
        const methods = read.subarray(2, 2 + (read[1] ?? 0));
        read = read.subarray(2 + methods.length);
        const method = login === undefined ? 0 : 2;
        if (!methods.includes(method)) { socket.end(Buffer.from([5, 0xff])); return; }
        socket.write(Buffer.from([5, method]));
        step = login === undefined ? 'request' : 'login';
      }
      if (step === 'login' && read.length >= 2 && read.length >= 3 + (read[1] ?? 0) + (read[2 + (read[1] ?? 0)] ?? 0)) {
        const userLength = read[1] ?? 0;
        const passwordLength = read[2 + userLength] ?? 0;
        const given = `${read.toString('utf8', 2, 2 + userLength)}:${read.toString('utf8', 3 + userLength, 3 + userLength + passwordLength)}`;
        read = read.subarray(3 + userLength + passwordLength);
        if (given !== login) { socket.end(Buffer.from([1, 1])); return; }
        socket.write(Buffer.from([1, 0]));
        step = 'request';
      }
      if (step !== 'request' || read.length < 10) return;
      const isName = read[3] === 3;
      const host = isName ? read.toString('utf8', 5, 5 + (read[4] ?? 0)) : [...read.subarray(4, 8)].join('.');
      const port = read.readUInt16BE(isName ? 5 + (read[4] ?? 0) : 8);
      proxy.asked.push(`${isName ? 'name' : 'address'} ${host}:${port}`);
      step = 'joined';
      socket.removeAllListeners('data');
      const known = proxy.hosts.get(host);
      if (known === undefined) socket.end(Buffer.from([5, 4, 0, 1, 0, 0, 0, 0, 0, 0]));
      else join(socket, known, () => socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 80])));
    });
  });
  const proxy = await listening(server, sockets);
  return proxy;
}

async function listening(server: ReturnType<typeof createServer>, sockets: Set<Duplex>, port = 0): Promise<OutboundProxy> {
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked: [], hosts: new Map(), refusal: undefined, silent: false, dropConnections,
    close: () => new Promise(resolve => {
      server.close(() => resolve());
      dropConnections();
    }),
  };
}
