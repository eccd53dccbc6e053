import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import type { IncidentReport } from '../../../server/api/reports/incidents.ts';
import { exitOf, spawnServer, startServer, until, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();
const configFile = path.join(folder, 'waybill.yaml');
const dataDir = path.join(folder, 'data');

/** A provider that answers, or fails with a status. */
class Provider {
  fails: number | undefined;
  readonly server: Server = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(this.fails ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(this.fails !== undefined ? { error: { message: 'no', type: 'server_error' } } : {
        id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1000, completion_tokens: 1000, total_tokens: 2000 },
      }));
    });
  });
}

describe('incidents before a real server', () => {
  const [north, south] = [new Provider(), new Provider()];
  let server: ServerProcess;

  before(async () => {
    const endpoint = async ({ server: provider }: Provider, price: number): Promise<EndpointSettings> => {
      await once(provider.listen(0, '127.0.0.1'), 'listening');
      return { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${String((provider.address() as AddressInfo).port)}/v1`, probe: { enabled: false }, models: { m: { prices: { inputPerMTok: price, outputPerMTok: price } } } };
    };
    // A request costs $0.002 at north and $0.006 at south.
    writeConfig(configFile, { north: await endpoint(north, 1), south: await endpoint(south, 3) }, { coding: { targets: ['north/m', 'south/m'] } });
    server = await startServer({ configFile, dataDir });
  });
  after(async () => {
    await server.stop();
    for (const { server: provider } of [north, south]) {
      provider.closeAllConnections();
      provider.close();
    }
    remove();
  });

  async function chat(model = 'coding'): Promise<string> {
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    });
    await response.text();
    return response.headers.get('x-waybill-exchange') ?? '';
  }

  const incidents = async (query = ''): Promise<IncidentReport> => await server.get(`/waybill/incidents${query}`) as IncidentReport;

  it('are told with their requests, who answered, and what that cost more, also after the server was killed', async () => {
    await chat();
    assert.deepEqual((await incidents()).incidents, []);
    north.fails = 503;
    const touched = await chat();
    await until('the incident is in the ledger', async () => (await incidents()).incidents.length === 1);
    const before = (await incidents()).incidents;
    server.child.kill('SIGKILL');
    await exitOf(server.child);
    server = await startServer({ configFile, dataDir });
    const [incident, ...others] = (await incidents()).incidents;
    assert.deepEqual([incident, ...others], before);
    assert.deepEqual([incident?.endpoint, incident?.until, incident?.requests, incident?.unanswered], ['north', undefined, 1, 0]);
    assert.deepEqual(incident?.causes.map(({ failureClass, status }) => [failureClass, status]), [['server', 503]]);
    assert.deepEqual(incident.answeredBy, [{ endpoint: 'south', requests: 1 }]);
    assert.deepEqual(incident.touched.map(({ id, answeredBy }) => [id, answeredBy]), [[touched, 'south/m']]);
    // The failed attempt is of unknown cost, or cost nothing; the answer cost $0.004 more than at north.
    assert.ok(incident.extraUnknown === 1 || incident.extraMicroUsd === 4000, JSON.stringify(incident));
  });

  it('end when the endpoint answers again', async () => {
    north.fails = undefined;
    await fetch(`${server.url}/waybill/endpoints`, { method: 'POST', headers: { authorization: `Bearer ${server.token}` }, body: JSON.stringify({ action: 'reset', endpoint: 'north' }) });
    await chat('north/m');
    await until('the incident is over', async () => (await incidents()).incidents[0]?.until !== undefined);
    assert.equal((await incidents('?endpoint=south')).incidents.length, 0);
  });

  it('are printed by the command', async () => {
    const { child, written } = spawnServer(['incidents', '--port', new URL(server.url).port, '--data', dataDir]);
    assert.equal(await exitOf(child), 0, written.stderr);
    assert.match(written.stdout, /^# Incidents\n\n1 incident in the last 7 days, all over\.\n/);
    assert.match(written.stdout, /\| north \| for \d+ \S+ \| server error \(503\)( \d+ times)? \| 1 request, answered by south \(1\) \|/);
    const wrong = await fetch(`${server.url}/waybill/incidents?days=0`, { headers: { authorization: `Bearer ${server.token}` } });
    assert.equal(wrong.status, 400);
  });
});
