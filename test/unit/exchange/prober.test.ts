import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import type { EndpointConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { Prober } from '../../../server/exchange/prober.ts';
import { createHealthBoard } from '../../../server/health/healthBoard.ts';
import { KeyPool } from '../../../server/upstream/keyPool.ts';
import { ModelDirectory } from '../../../server/upstream/modelDirectory.ts';
import { Transport } from '../../../server/upstream/transport.ts';
import { InMemoryLedger } from '../ledger/inMemoryLedger.ts';

/** A prober whose probes can be waited for. */
class WaitingProber extends Prober {
  readonly #started: Promise<unknown>[] = [];
  readonly asked: string[] = [];

  override probe(endpoint: EndpointConfig): ReturnType<Prober['probe']> {
    this.asked.push(endpoint.name);
    const probed = super.probe(endpoint);
    this.#started.push(probed);
    return probed;
  }
  async settled(): Promise<void> {
    await Promise.all(this.#started.splice(0));
  }
}

test('while the machine is cut off one endpoint at a time is asked, by turns, and local ones as ever', async (t) => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"data":[]}');
  });
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.close(); });
  const port = (server.address() as AddressInfo).port;
  const endpoints = Object.fromEntries(['one', 'two', 'three', 'local'].map(name =>
    [name, { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${port}/${name}`, probe: { enabled: true, intervalMs: 20_000 } }]));
  const { config } = resolveConfig({ endpoints, routes: {} }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  let cutOff = true;
  let now = 1_000_000;
  const board = createHealthBoard({ random: () => 0.5, startedAt: now });
  board.configure(config.endpoints);
  const transport = new Transport();
  transport.configure(config.endpoints);
  t.after(() => transport.shutdown());
  const prober = new WaitingProber({
    transport, board: { ...board, cutOff: name => cutOff && name !== 'local' }, keys: new KeyPool(), directory: new ModelDirectory(config), ledger: new InMemoryLedger(),
    clock: { now: () => now }, log: silentLog, redact: text => text, changed: () => undefined, failed: () => undefined,
  });
  /** Ticks once a second, each time waiting for the probes that the tick started. */
  async function seconds(count: number): Promise<string[]> {
    const from = prober.asked.length;
    for (let second = 0; second < count; second += 1) {
      now += 1000;
      prober.tick(config.endpoints.values());
      await prober.settled();
    }
    return prober.asked.slice(from);
  }
  const offline = await seconds(16);
  assert.deepEqual(offline.filter(name => name !== 'local'), ['one', 'two', 'three', 'one']);
  assert.ok(offline.includes('local'));
  cutOff = false;
  const online = await seconds(25);
  for (const name of ['one', 'two', 'three', 'local']) assert.ok(online.includes(name), `${name} is probed again: ${online.join(' ')}`);
});
