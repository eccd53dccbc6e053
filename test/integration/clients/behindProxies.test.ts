import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { selfSignedCertificate } from '../../../server/sandbox/selfSignedCertificate.ts';
import { startHttpProxy, startSocksProxy, type OutboundProxy } from '../support/outboundProxy.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { startServer, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const login = 'corp\\worker:Zeta-9f3+pass/word';
const [user = '', password = ''] = login.split(':');
const loginInUrl = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
/** Every form in which the password could be seen. */
const forms = [password, encodeURIComponent(password), Buffer.from(login).toString('base64'), Buffer.from(password).toString('base64')];

const protocols = { chat: 'openai-chat', messages: 'anthropic-messages', gemini: 'gemini' } as const;
const ways = ['open', 'locked', 'inspecting', 'socks'] as const;
type Way = (typeof ways)[number];
/** A host that has no address outside the proxies. */
const hostOf = (name: string, way: Way): string => `${name}.${way}.internal`;

/** What official clients ask, streamed and plain, of endpoints of their own protocol and of another one. */
const clients: Readonly<Record<string, (server: ServerProcess, way: Way) => Promise<string>>> = {
  'openai, plain': async (server, way) => (await openai(server).chat.completions.create({ model: `chat-${way}/m`, messages: [{ role: 'user', content: 'say 12 words' }] })).choices[0]?.message.content ?? '',
  'openai, streamed, from Anthropic': async (server, way) => (await openai(server).chat.completions.stream({ model: `messages-${way}/m`, messages: [{ role: 'user', content: 'say 12 words' }] }).finalChatCompletion()).choices[0]?.message.content ?? '',
  'anthropic, streamed': (server, way) => anthropic(server).messages.stream({ model: `messages-${way}/m`, max_tokens: 100, messages: [{ role: 'user', content: 'say 12 words' }] }).finalText(),
  'anthropic, plain, from Gemini': async (server, way) => {
    const { content } = await anthropic(server).messages.create({ model: `gemini-${way}/m`, max_tokens: 100, messages: [{ role: 'user', content: 'say 12 words' }] });
    return content.map(part => (part.type === 'text' ? part.text : '')).join('');
  },
  'google, streamed': async (server, way) => {
    let text = '';
    const client = new GoogleGenAI({ apiKey: server.token, httpOptions: { baseUrl: server.url } });
    for await (const chunk of await client.models.generateContentStream({ model: `gemini-${way}/m`, contents: 'say 12 words' })) text += chunk.text ?? '';
    return text;
  },
};

function openai({ url, token }: ServerProcess): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
}

function anthropic({ url, token }: ServerProcess): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: token, maxRetries: 0 });
}

describe('official clients', () => {
  const { folder, remove } = temporaryFolder();
  const dataDir = path.join(folder, 'data');
  const authority = { name: 'Company Root', ...selfSignedCertificate('Company Root') };
  const providers: SandboxProvider[] = [];
  let proxies: Record<Way, OutboundProxy>;
  let server: ServerProcess;
  before(async () => {
    proxies = { open: await startHttpProxy(), locked: await startHttpProxy({ login }), inspecting: await startHttpProxy({ login, inspects: authority }), socks: await startSocksProxy({ login }) };
    const written: Readonly<Record<Way, string | undefined>> = {
      open: undefined, locked: `http://${loginInUrl}@${proxies.locked.address}`, inspecting: `http://${loginInUrl}@${proxies.inspecting.address}`, socks: `socks5h://${loginInUrl}@${proxies.socks.address}`,
    };
    const trusted = [authority.cert];
    const endpoints: Record<string, EndpointSettings> = {};
    for (const way of ways) {
      for (const [name, protocol] of Object.entries(protocols)) {
        const tls = selfSignedCertificate(hostOf(name, way));
        const provider = await startSandboxProvider({ protocol, name, tls });
        providers.push(provider);
        // The machine trusts what is behind the inspecting proxy by the company's authority only.
        if (way !== 'inspecting') trusted.push(tls.cert);
        proxies[way].hosts.set(hostOf(name, way), Number(new URL(provider.url).port));
        const endpoint: EndpointSettings = { ...sandboxEndpoint(provider), baseUrl: provider.url.replace(/^https:\/\/[^/]+/, `https://${hostOf(name, way)}`), proxy: written[way] };
        endpoints[`${name}-${way}`] = endpoint;
        if (name === 'chat' && way === 'open') endpoints['excepted'] = { ...endpoint, baseUrl: 'https://api.excepted.internal/v1' };
      }
    }
    writeFileSync(path.join(folder, 'trusted.pem'), trusted.join(''));
    const configFile = path.join(folder, 'config.yaml');
    writeFileSync(configFile, JSON.stringify({ endpoints, routes: {} }));
    server = await startServer({ configFile, dataDir, environment: { HTTPS_PROXY: `http://${proxies.open.address}`, NO_PROXY: '10.0.0.0/8,.excepted.internal', SSL_CERT_FILE: path.join(folder, 'trusted.pem') } });
  });
  after(async () => {
    await server?.stop();
    await Promise.all([...Object.values(proxies), ...providers].map(one => one.close()));
    remove();
  });

  /** Each client gets twelve words. */
  async function areAnswered(way: Way): Promise<void> {
    const texts = await Promise.all(Object.entries(clients).map(async ([name, ask]) => [name, (await ask(server, way)).trim().split(' ').length]));
    assert.deepEqual(texts, Object.keys(clients).map(name => [name, 12]));
  }

  for (const [way, what, asked] of [
    ['open', 'a CONNECT proxy of the environment', /^CONNECT chat\.open\.internal:443$/],
    ['locked', 'a CONNECT proxy with a password', /^CONNECT messages\.locked\.internal:443$/],
    ['inspecting', 'a proxy that reads TLS with an authority of its own', /^read POST \/.*chat\/completions HTTP\/1\.1$/],
    ['socks', 'a SOCKS 5 proxy with a password', /^name gemini\.socks\.internal:443$/],
  ] as const) {
    it(`are answered, streamed and plain, behind ${what}`, async () => {
      await areAnswered(way);
      assert.ok(proxies[way].asked.some(line => asked.test(line)), proxies[way].asked.join(' | '));
    });
  }

  it('learn that a host of NO_PROXY has no address, and the proxy is not asked', async () => {
    proxies.open.asked.length = 0;
    await assert.rejects(openai(server).chat.completions.create({ model: 'excepted/m', messages: [{ role: 'user', content: 'hi' }] }), /excepted has no address/);
    assert.deepEqual(proxies.open.asked, []);
  });

  it('notice nothing where a proxy drops its tunnels between requests', async () => {
    for (const way of ['locked', 'inspecting', 'socks'] as const) {
      await areAnswered(way);
      proxies[way].dropConnections();
      await areAnswered(way);
    }
  });

  it('learn the name of a proxy that is gone, and are answered again when it is back', async () => {
    const { address, hosts, close } = proxies.locked;
    await close();
    await assert.rejects(openai(server).chat.completions.create({ model: 'chat-locked/m', messages: [{ role: 'user', content: 'hi' }] }), (error: Error) => {
      assert.ok(error.message.includes(`The proxy http://${address} refused the connection, so chat-locked was not asked; check that it runs, and its address in `), error.message);
      return true;
    });
    proxies.locked = await startHttpProxy({ login, port: Number(address.split(':')[1]) });
    for (const [host, port] of hosts) proxies.locked.hosts.set(host, port);
    await areAnswered('locked');
  });

  it('see the password of a proxy nowhere: it is in no log, status, receipt or file', async () => {
    const list = JSON.stringify(await server.get('/waybill/exchanges?limit=100'));
    const ids = [...new Set([...list.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id ?? ''))];
    const receipts = await Promise.all(ids.map(id => server.receipt(id)));
    assert.ok(receipts.length > 20);
    const seen = JSON.stringify([server.written, list, receipts, await server.get('/waybill/status')]) + filesIn(dataDir).map(file => readFileSync(file, 'latin1')).join('');
    for (const form of forms) assert.ok(!seen.includes(form), form);
    assert.ok(!JSON.stringify(receipts).includes(user));
  });
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(file => path.join(folder, file)).filter(file => statSync(file).isFile());
}
