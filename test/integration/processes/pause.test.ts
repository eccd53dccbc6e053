import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Condition } from '../../../server/api/condition.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { exitOf, spawnServer, startServer, until, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();
const configFile = path.join(folder, 'waybill.yaml');
const dataDir = path.join(folder, 'data');
/** Of another day the date stands before the time. */
const moment = String.raw`(\d{4}-\d\d-\d\d )?\d\d:\d\d`;

/** A provider whose answers count. */
function answering(): Server & { answered?: number } {
  const provider: Server & { answered?: number } = createServer((request, response) => {
    request.resume().once('end', () => {
      provider.answered = (provider.answered ?? 0) + 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
        id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
      }));
    });
  });
  return provider;
}

describe('a pause before two real servers of one data folder', () => {
  const [north, south] = [answering(), answering()];
  let one: ServerProcess;
  let other: ServerProcess;

  before(async () => {
    const endpoint = async (provider: Server): Promise<EndpointSettings> => {
      await once(provider.listen(0, '127.0.0.1'), 'listening');
      return { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${String((provider.address() as AddressInfo).port)}/v1`, probe: { enabled: false }, models: { m: {} } };
    };
    writeConfig(configFile, { north: await endpoint(north), south: await endpoint(south) }, { coding: { targets: ['north/m', 'south/m'] } });
    one = await startServer({ configFile, dataDir });
    other = await startServer({ configFile, dataDir });
  });
  after(async () => {
    await Promise.all([one.stop(), other.stop()]);
    for (const provider of [north, south]) {
      provider.closeAllConnections();
      provider.close();
    }
    remove();
  });

  async function chat(server: ServerProcess, model = 'coding'): Promise<{ status: number; text: string; receipt: string }> {
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    });
    return { status: response.status, text: await response.text(), receipt: response.headers.get('x-waybill-exchange') ?? '' };
  }

  async function order(server: ServerProcess, body: object): Promise<{ status: number; text: string }> {
    const response = await fetch(`${server.url}/waybill/endpoints`, { method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return { status: response.status, text: await response.text() };
  }

  async function conditionOf(server: ServerProcess, name: string): Promise<Condition | undefined> {
    return (await server.get('/waybill/endpoints') as { endpoints: { endpoint: string; condition: Condition }[] }).endpoints.find(({ endpoint }) => endpoint === name)?.condition;
  }

  it('sends requests of the other server around the endpoint, and its receipt says so', async () => {
    const done = await order(one, { action: 'pause', endpoint: 'north', for: '1h' });
    assert.equal(done.status, 200, done.text);
    assert.match(done.text, new RegExp(`north is paused until ${moment}; requests go around it\\.`));
    await until('the other server knows of the pause', async () => (await conditionOf(other, 'north'))?.kind === 'paused', 2_000);
    const { receipt } = await chat(other);
    const { target, plan } = await other.receipt(receipt);
    assert.equal(target, 'south/m');
    assert.deepEqual(plan.excluded.map(left => left.target), ['north/m']);
    assert.match(plan.excluded[0]?.reason ?? '', new RegExp(`^it is paused until ${moment}$`));
    assert.equal(north.answered, undefined);
  });

  it('holds for a request that names the endpoint, in one sentence', async () => {
    const { status, text } = await chat(other, 'north/m');
    assert.equal(status, 503);
    assert.match(text, new RegExp(`north/m: it is paused until ${moment}\\.`));
    assert.equal(north.answered, undefined);
  });

  it('survives the death of both servers', async () => {
    const ended = Promise.all([exitOf(one.child), exitOf(other.child)]);
    one.child.kill('SIGKILL');
    other.child.kill('SIGKILL');
    await ended;
    one = await startServer({ configFile, dataDir });
    other = await startServer({ configFile, dataDir });
    assert.equal((await conditionOf(other, 'north'))?.kind, 'paused');
    const { receipt } = await chat(one);
    assert.equal((await one.receipt(receipt)).target, 'south/m');
  });

  it('is ended from the command line', async () => {
    const port = new URL(other.url).port;
    const shown = spawnServer(['endpoint', 'status', '--port', port, '--data', dataDir]);
    assert.equal(await exitOf(shown.child), 0);
    assert.match(shown.written.stdout, /^north: paused, resumes at \S+( \S+)?\nsouth: healthy\n$/);
    const { child, written } = spawnServer(['endpoint', 'resume', 'north', '--port', port, '--data', dataDir]);
    assert.equal(await exitOf(child), 0, written.stderr);
    assert.equal(written.stdout, 'north is resumed; requests can go to it again.\n');
    await until('both servers know', async () => (await conditionOf(one, 'north'))?.kind !== 'paused', 2_000);
    const { receipt } = await chat(one);
    assert.equal((await one.receipt(receipt)).target, 'north/m');
    const again = spawnServer(['endpoint', 'resume', 'north', '--port', port, '--data', dataDir]);
    assert.equal(await exitOf(again.child), 1);
    assert.equal(again.written.stderr, 'north is not paused.\n');
  });

  it('is refused with what to send, where the order makes no sense', async () => {
    assert.deepEqual([(await order(one, { action: 'pause' })).status, (await order(one, { action: 'pause', endpoint: 'north', for: 'ever' })).status, (await order(one, { action: 'resume', endpoint: 'north', for: '1h' })).status], [400, 400, 400]);
    assert.equal((await order(one, { action: 'pause', endpoint: 'east' })).status, 409);
  });

  it('and a reset and a probe are made for the endpoint that is named', async () => {
    assert.match((await order(one, { action: 'reset', endpoint: 'north' })).text, /its failures are forgotten/);
    assert.match((await order(one, { action: 'probe', endpoint: 'south' })).text, /"message":"south: healthy\."/);
  });
});
