import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { partsAround, spellings } from '../../unit/base/secrets/secretSpellings.ts';
import { callerHeaders, callerPath, callerProtocols, requestBody } from '../support/callerProtocols.ts';
import { rawRequest } from '../support/rawClient.ts';
import { exitOf, startServer, until, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

/** Keys without a recognizable shape: only the server's register of secrets knows them. */
const secrets: Readonly<Record<string, string>> = { HEX: '0f3a9c7be21d4856a1b2c3d4e5f60718', ODD: 'Zq81m"NvB7c/Xw0p\\LkJh+Gf2=RtY6' };
/** What the caller says in its prompt, and hostile providers repeat. */
const marker = 'Marker-of-the-prompt-7f3e';
/** Looks like a code of a provider. */
const word = 'projectNightingale';
const prompt = `${marker}: how do I tell Ann of ${word}?`;

const ways = Object.keys(spellings);
/** Lengths of what stands before the key: around each cut of a message, a detail, a page and a body. */
const offsets = [0, 270, 285, 299, 470, 499, 1970, 1999, 16_370, 16_384, 65_500];

interface Echo { said: string; credential: string; prompt: string }

/** Every shape in which a provider may answer with what it was sent. */
const answers: Readonly<Record<string, (response: ServerResponse, echo: Echo) => void>> = {
  openai: (response, { said }) => json(response, 400, { error: { message: said, type: 'invalid_request_error', param: said, code: null } }),
  code: (response, { said }) => json(response, 400, { error: { message: 'no', type: said, code: said } }),
  codeWord: (response, echo) => json(response, 400, { error: { message: 'no', type: echo.prompt === '' ? null : word, code: echo.prompt === '' ? null : word } }),
  invalidValue: (response, echo) => json(response, 400, { error: { message: `Invalid value: '${echo.prompt}'. Supported values are: 'a' and 'b'. ${echo.said}`, type: 'invalid_request_error', param: 'messages[0].content', code: 'invalid_value' } }),
  fastApi: (response, echo) => json(response, 422, { detail: [{ type: 'string_type', loc: ['body', 'messages', 0, echo.said], msg: `Input should be a valid string: ${echo.said}`, input: echo.prompt }] }),
  gemini: (response, echo) => json(response, 400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: `Invalid value at 'contents[0]' "${echo.prompt}" ${echo.said}`, details: [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', reason: echo.said }] } }),
  anthropic: (response, { said }) => json(response, 500, { type: 'error', error: { type: 'api_error', message: said }, request_id: said }),
  filter: (response, { said }) => json(response, 400, { error: { message: said, code: 'content_filter', innererror: { content: said } } }),
  relay: (response, { said }) => json(response, 502, { error: { message: 'Provider returned error', code: 502, metadata: { raw: said, provider_name: said } } }),
  page: (response, { said }) => response.writeHead(502, { 'content-type': 'text/html' }).end(`<html><title>${said}</title><body>${said}</body></html>`),
  plain: (response, { said }) => response.writeHead(500, { 'content-type': 'text/plain' }).end(said),
  notJson: (response, { said }) => response.writeHead(200, { 'content-type': 'application/json' }).end(`{"nonsense ${said}`),
  inBand: (response, { said }) => json(response, 200, { error: { message: said, code: 400, type: said } }),
  headers: (response, { credential }) => {
    const value = credential.replace(/[^\x20-\x7e]/g, '');
    json(response, 400, { error: { message: 'no' } }, { 'x-request-id': `req ${value}`, 'openai-organization': value, 'x-ratelimit-remaining-requests': value, 'retry-after': value });
  },
  good: (response, { credential }) => json(response, 200, {
    id: 'c1', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  }, { 'x-request-id': `req ${credential.replace(/[^\x20-\x7e]/g, '')}` }),
  usage: (response, { credential }) => stream(response, [{ id: credential, object: 'chat.completion.chunk', model: credential, choices: [{ index: 0, delta: { content: 'hi' } }], usage: { prompt_tokens: credential } }, { error: { message: credential } }]),
  stream: (response, { said }) => stream(response, [{ id: 'c1', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta: { content: 'hi' } }] }, { error: { message: said, code: said } }]),
  streamFirst: (response, { said }) => stream(response, [{ error: { message: said, code: said } }]),
};

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function stream(response: ServerResponse, events: readonly unknown[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.map(event => `data: ${JSON.stringify(event)}\n\n`).join(''));
}

/** A provider that repeats the credential and the prompt of the request: `/<shape>/<way>/<offset>`. */
async function startEcho(): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const credential = String(request.headers.authorization ?? request.headers['x-api-key'] ?? '').replace(/^Bearer /, '');
  const [, shape = '', way = '0', offset = '0'] = request.url?.split('/') ?? [];
  const spelled = spellings[ways[Number(way)] ?? '']?.(credential) ?? credential;
  if (request.method === 'GET') {
    json(response, 200, { data: [{ id: 'm' }, { id: credential }, { id: `models/${spelled}` }, { id: spelled, context_length: 5 }, { id: `ft:${spelled}:${spelled}` }] });
    return;
  }
  const asked = body.includes(marker) ? prompt : '';
  const said = `${asked} ${'x'.repeat(Math.max(0, Number(offset) - asked.length - 1))} ${spelled} and ${asked}`;
  answers[shape]?.(response, { said, credential: spelled, prompt: asked });
}

describe('what a provider says of a key and of a prompt', () => {
  const { folder, remove } = temporaryFolder();
  const dataDir = path.join(folder, 'data');
  const configFile = path.join(folder, 'waybill.yaml');
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let server: ServerProcess;
  const names: string[] = [];

  const partsOf = Object.entries(secrets).flatMap(([name, secret]) => Object.entries(spellings).map(([way, spell]) => ({ what: `${name} ${way}`, parts: partsAround(spell(secret), secret) })));
  const tracesOf = (text: string): string[] => {
    const low = text.toLowerCase();
    return partsOf.filter(({ parts }) => parts.some(part => low.includes(part))).map(({ what }) => what);
  };

  const saidIn = (text: string): string[] => [marker, word].filter(said => text.includes(said));

  before(async () => {
    echo = await startEcho();
    const endpoints: Record<string, EndpointSettings> = {};
    const add = (shape: string, way: number, offset: number, key: string): void => {
      const name = `${shape}-${way}-${offset}-${key}`;
      names.push(`${name}/m`);
      endpoints[name] = { provider: 'openai-compatible', baseUrl: `${echo.url}/${shape}/${way}/${offset}`, keys: [`\${${key}}`], models: { m: {} }, probe: { enabled: way < 3, intervalMs: 60_000 } };
    };
    for (const key of Object.keys(secrets)) {
      for (const way of ways.keys()) for (const shape of ['openai', 'headers', 'stream', ...(way % 4 === 0 ? ['code', 'inBand'] : [])]) add(shape, way, 0, key);
      for (const offset of offsets) for (const shape of Object.keys(answers)) add(shape, offset % 3, offset, key);
    }
    writeConfig(configFile, endpoints, { several: { targets: names.filter(name => /^(?:fastApi|openai|plain)-0-0-/.test(name)) } });
    names.push('several');
    server = await startServer({ configFile, dataDir, environment: secrets });
  });
  after(async () => {
    server.child.kill('SIGKILL');
    await exitOf(server.child);
    echo.server.close();
    echo.server.closeAllConnections();
    remove();
  });

  it('brings no part of the key to the caller: bodies, headers, streams', async () => {
    const found: string[] = [];
    for (const caller of callerProtocols) {
      for (let start = 0; start < names.length; start += 24) {
        await Promise.all(names.slice(start, start + 24).map(async model => {
          const body = JSON.stringify(requestBody(caller, { model, prompt, stream: /^(?:stream|usage)/.test(model) }));
          const answer = await rawRequest({ url: server.url + callerPath[caller], headers: callerHeaders(caller, server.token), body });
          // The events of a good answer are the provider's own, and pass as they are.
          if (model.startsWith('usage') && caller === 'openai-chat') return;
          const whole = `${JSON.stringify(answer.headers)}\n${answer.text}`;
          for (const trace of tracesOf(whole)) found.push(`${trace} in the answer of ${model} to ${caller}: ${whole.slice(0, 700)}`);
        }));
      }
    }
    assert.deepEqual(found.slice(0, 3), []);
  });

  it('names what was wrong to the caller and in the receipt of this process', async () => {
    const answer = await rawRequest({
      url: server.url + callerPath['openai-chat'], headers: callerHeaders('openai-chat', server.token),
      body: JSON.stringify(requestBody('openai-chat', { model: names.find(name => name.startsWith('fastApi')) ?? '', prompt, stream: false })),
    });
    assert.match(answer.text, /Input should be a valid string/);
    const receipt = await server.receipt(String(answer.headers['x-waybill-exchange']));
    assert.match(receipt.attempts[0]?.message ?? '', /refused the request as wrong \(422\S*.*\): .*Input should be a valid string/);
    assert.match(receipt.message ?? '', /Input should be a valid string/);
  });

  it('a key that a caller puts into a name or a header is neither sent on nor recorded', async () => {
    const good = names.find(name => name.startsWith('good')) ?? '';
    for (const secret of Object.values(secrets)) {
      for (const model of [secret, `${good.split('/')[0] ?? ''}/${secret}`, `models/${'x'.repeat(70)}${secret}`, `nothing/${encodeURIComponent(secret)}`]) {
        const answer = await rawRequest({
          url: server.url + callerPath['openai-chat'], body: JSON.stringify(requestBody('openai-chat', { model, prompt: 'hi', stream: false })),
          headers: { ...callerHeaders('openai-chat', server.token), 'x-waybill-conversation': secret, 'x-waybill-purpose': `of ${secret}`, 'x-waybill-workspace': `${'y'.repeat(80)}${secret}`, 'x-waybill-tool': secret },
        });
        assert.equal(answer.status, 400);
        assert.match(answer.text, /The name of the model has a key in it/);
        assert.deepEqual(tracesOf(`${JSON.stringify(answer.headers)}\n${answer.text}`), []);
      }
      await rawRequest({
        url: server.url + callerPath['openai-chat'], body: JSON.stringify(requestBody('openai-chat', { model: good, prompt: 'hi', stream: false })),
        headers: { ...callerHeaders('openai-chat', server.token), 'x-waybill-workspace': `${'y'.repeat(80)}${secret}` },
      });
    }
  });

  it('brings no part of it into what the local endpoint shows: status, spend, receipts, models', async () => {
    const exchanges = await server.get('/waybill/exchanges?limit=1000') as { id: string }[];
    assert.ok(exchanges.length >= 500, String(exchanges.length));
    const shown = [await server.get('/waybill/status'), await server.get('/waybill/spend'), exchanges, await server.get('/v1/models')];
    for (const { id } of exchanges.slice(0, 300)) shown.push(await server.receipt(id));
    assert.deepEqual(shown.flatMap(one => tracesOf(JSON.stringify(one))), []);
    // A receipt shows what the provider said of the prompt; the lists and the state do not.
    assert.deepEqual(shown.slice(0, 4).filter(one => JSON.stringify(one).includes(marker)), []);
  });

  it('is in no file of the data folder and in no line of the log: neither the key nor the prompt', async () => {
    const first = await server.get('/waybill/exchanges?limit=1000') as { id: string; failureClass?: string; attempts: number }[];
    await until('the lists of models are stored', () => readdirSync(dataDir).includes('models.json'));
    const look = (): string[] => readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map(name => path.join(dataDir, name)).filter(file => statSync(file).isFile()).flatMap(file => {
      const content = readFileSync(file, 'latin1');
      return [...tracesOf(content), ...saidIn(content)].map(trace => `${trace} in ${path.basename(file)}`);
    });
    assert.deepEqual(look(), [], 'while it runs, with the write-ahead log');
    await server.stop();
    assert.deepEqual(look(), []);
    const log = server.written.stdout + server.written.stderr;
    assert.deepEqual([...tracesOf(log), ...saidIn(log)], []);

    server = await startServer({ configFile, dataDir, environment: secrets });
    const bad = first.find(exchange => exchange.failureClass === 'bad-request' && exchange.attempts > 0);
    const receipt = await server.receipt(bad?.id ?? '');
    assert.match(receipt.attempts[0]?.message ?? '', /refused the request as wrong \(4\d\d[^)]*\)\.$/, 'the sentence of ours stays');
    assert.equal(receipt.attempts[0]?.failureClass, 'bad-request');
  });
});
