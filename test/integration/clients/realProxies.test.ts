import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { selfSignedCertificate } from '../../../server/sandbox/selfSignedCertificate.ts';
import { endedWithTests } from '../../support/childProcesses.ts';
import { freePort } from '../../support/freePort.ts';
import { isInstalled } from '../../support/isInstalled.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf, startServer, until, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const login = { user: 'worker', password: 's3cret-pass' };
const { folder, remove } = temporaryFolder();
const squidHelper = '/usr/lib/squid/basic_ncsa_auth';

interface Program {
  readonly name: string;
  /** Undefined: it is installed; else what is missing. */
  readonly missing: string | undefined;
  arguments(port: number): readonly string[];
}

/** Proxies of other people, as Debian has them. Each wants a login and refuses one host. */
const programs: readonly Program[] = [
  {
    name: 'tinyproxy',
    missing: isInstalled('tinyproxy', '-v') ? undefined : 'tinyproxy is not installed (apt-get install tinyproxy-bin)',
    arguments: port => {
      const filter = write('tinyproxy-filter', '^refused\\.internal$\n');
      return ['-d', '-c', write('tinyproxy.conf', `Port ${port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Critical\nMaxClients 20\nBasicAuth ${login.user} ${login.password}\nFilter "${filter}"\n`)];
    },
  },
  {
    name: 'squid',
    missing: isInstalled('squid', '-v') && existsSync(squidHelper) ? undefined : 'squid is not installed (apt-get install squid)',
    arguments: port => {
      const logins = write('squid-logins', `${login.user}:${spawnSync('openssl', ['passwd', '-apr1', login.password], { encoding: 'utf8' }).stdout}`);
      return ['-N', '-f', write('squid.conf', [
        `http_port 127.0.0.1:${port}`, `auth_param basic program ${squidHelper} ${logins}`, 'acl known proxy_auth REQUIRED', 'acl refused dstdomain refused.internal',
        'http_access deny refused', 'http_access allow known', 'http_access deny all', 'cache deny all', 'pid_filename none', 'cache_log /dev/null', 'access_log none', 'shutdown_lifetime 0 seconds', '',
      ].join('\n'))];
    },
  },
];

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text, { mode: 0o644 });
  return file;
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

for (const program of programs) {
  describe(`an official client behind ${program.name}`, { skip: program.missing ?? false }, () => {
    const certificate = selfSignedCertificate('localhost');
    let plain: SandboxProvider;
    let encrypted: SandboxProvider;
    let port: number;
    let proxy: ChildProcess;
    let server: ServerProcess;
    before(async () => {
      // The proxy may run as another user.
      chmodSync(folder, 0o755);
      plain = await startSandboxProvider({ protocol: 'openai-chat', name: 'plain' });
      encrypted = await startSandboxProvider({ protocol: 'openai-chat', name: 'encrypted', tls: certificate });
      port = await freePort();
      await start();
      const through = (provider: SandboxProvider, settings: Partial<EndpointSettings> = {}, { password } = login): EndpointSettings => ({
        ...sandboxEndpoint(provider), baseUrl: provider.url.replace('127.0.0.1', 'localhost'), proxy: `http://${login.user}:${password}@127.0.0.1:${port}`, ...settings,
      });
      const endpoints: Record<string, EndpointSettings> = {
        plain: through(plain), encrypted: through(encrypted), wrong: through(encrypted, {}, { ...login, password: 'no-s3cret' }), wrongPlain: through(plain, {}, { ...login, password: 'no-s3cret' }),
        refused: through(encrypted, { baseUrl: 'https://refused.internal/v1' }), refusedPlain: through(plain, { baseUrl: 'http://refused.internal/v1' }),
        down: through(encrypted, { baseUrl: 'https://localhost:1/v1' }), downPlain: through(plain, { baseUrl: 'http://localhost:1/v1' }),
      };
      server = await startServer({
        configFile: write(`${program.name}.yaml`, JSON.stringify({ endpoints, routes: {} })), dataDir: path.join(folder, program.name), environment: { SSL_CERT_FILE: write('trusted.pem', certificate.cert) },
      });
    });
    after(async () => {
      await server?.stop();
      await stop();
      await Promise.all([plain, encrypted].map(one => one.close()));
      if (program === programs.at(-1)) remove();
    });

    async function start(): Promise<void> {
      proxy = endedWithTests(spawn(program.name, program.arguments(port), { stdio: 'ignore' }));
      await until(`${program.name} accepts connections`, () => accepts(port));
    }

    async function stop(): Promise<void> {
      proxy.kill('SIGKILL');
      await exitOf(proxy);
    }

    const client = (): OpenAI => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.token, maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'say 12 words' }];
    const ask = async (endpoint: string): Promise<string> => (await client().chat.completions.create({ model: `${endpoint}/m`, messages })).choices[0]?.message.content ?? '';
    const stream = async (endpoint: string): Promise<string> => (await client().chat.completions.stream({ model: `${endpoint}/m`, messages }).finalChatCompletion()).choices[0]?.message.content ?? '';

    async function isAnswered(): Promise<void> {
      for (const endpoint of ['plain', 'encrypted']) {
        for (const answer of [await ask(endpoint), await stream(endpoint)]) assert.equal(answer.trim().split(' ').length, 12);
      }
    }

    it('is answered, streamed and plain, with TLS and without', isAnswered);

    for (const [endpoint, sentence] of [
      // tinyproxy 1.11 answers a wrong password with 401, which no proxy should.
      ['wrong', /rejected the user name or the password \(40[17]\), so wrong was not asked/], ['wrongPlain', /rejected the user name or the password \(40[17]\), so wrongPlain was not asked/],
      ['refused', /did not connect to refused\.internal:443 \(403\), so refused was not asked/], ['refusedPlain', /did not connect to refused\.internal:80 \(403\), so refusedPlain was not asked/],
      ['down', /could not connect to localhost:1 \(50\d\), so down was not asked; check the base URL of down/], ['downPlain', /could not connect to localhost:1 \(50\d\), so downPlain was not asked/],
    ] as const) {
      it(`learns what the proxy said: ${endpoint}`, async () => {
        await assert.rejects(ask(endpoint), (error: Error) => {
          assert.match(error.message, sentence);
          assert.ok(!error.message.includes('s3cret'));
          return true;
        });
      });
    }

    it('notices nothing of a proxy that was started anew between requests', async () => {
      await stop();
      await start();
      await isAnswered();
    });
  });
}
