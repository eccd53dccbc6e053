import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { isObject, parseJson } from '../../../server/base/json.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { parseYamlConfig } from '../../../server/config/yamlConfig.ts';
import { createRouterProcess, type RouterProcess } from '../../../server/app/routerProcess.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import { LogSink } from '../support/logSink.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

/** A relay that lists its models with their context windows and prices, and answers every chat. */
class Relay {
  readonly asked: string[] = [];
  lists = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => { text += chunk.toString(); });
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        if (request.url === '/v1/models') {
          this.lists += 1;
          response.end(JSON.stringify({ data: [
            { id: 'cs-55-turbo', context_length: 2000, pricing: { prompt: '0.000003', completion: '0.000015' } },
            { id: 'anthropic/claude-opus-5-5', context_length: 900_000 },
          ] }));
          return;
        }
        const body = parseJson(text);
        this.asked.push(isObject(body) ? String(body.model) : '');
        response.end(JSON.stringify({
          id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1000, completion_tokens: 100 },
        }));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/v1`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

interface Running { testRouter: RouterProcess; ask(model: string, words?: string): Promise<{ status: number; exchange: string; text: string }>; close(): Promise<void> }

async function start(dataDir: string, yaml: string): Promise<Running> {
  const log = new LogSink();
  let opened: (() => void) | undefined;
  const listening = new Promise<void>(resolve => (opened = resolve));
  const testRouter = createRouterProcess({
    dataDir, instanceId: 'test', writeLog: (level, line) => log.write(level, line),
    portChanged: () => { if (testRouter.port.status.state === 'listening') opened?.(); },
  });
  const { config, keys, problems } = parseYamlConfig(yaml, 'waybill.yaml', {}, { catalog: { providers, findProvider }, supportedProtocols });
  assert.deepEqual(problems, []);
  testRouter.router.configure(config, keys, problems);
  testRouter.port.hold(0);
  await listening;
  const token = readFileSync(testRouter.port.status.tokenFile ?? '', 'utf8').trim();
  return {
    testRouter,
    async ask(model, words = 'Hello') {
      const response = await fetch(`${testRouter.port.status.url ?? ''}/v1/chat/completions`, {
        method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model, messages: [{ role: 'user', content: words }] }),
      });
      return { status: response.status, exchange: response.headers.get('x-waybill-exchange') ?? '', text: await response.text() };
    },
    async close() {
      await testRouter.close();
      log.assertQuiet();
    },
  };
}

describe('what a provider says of its models', async () => {
  const relay = new Relay();
  const baseUrl = await relay.listen();
  const { folder, remove } = temporaryFolder();
  after(() => {
    relay.close();
    remove();
  });
  const yaml = `endpoints:\n  relay: { provider: openai-compatible, baseUrl: "${baseUrl}", probe: { enabled: false } }\naliases:\n  sonnet: claude-sonnet-5.5\n  cs-55-turbo: claude-sonnet-5.5\n`;

  test('is used for names, context windows and prices', async () => {
    const running = await start(folder, yaml);
    try {
      await running.testRouter.router.probe();
      const answer = await running.ask('sonnet');
      assert.deepEqual([answer.status, relay.asked], [200, ['cs-55-turbo']]);
      const receipt = await running.testRouter.router.receipt(answer.exchange);
      assert.deepEqual([receipt?.target, receipt?.cost.microUsd, receipt?.cost.certainty, receipt?.cost.priceSource], ['relay/claude-sonnet-5.5', 4500, 'estimated', 'provider list']);
      const tooLong = await running.ask('claude-sonnet-5-5', 'word '.repeat(5000));
      assert.ok(tooLong.status >= 400);
      assert.match(tooLong.text, /context window of 2,000 tokens/);
      assert.equal((await running.ask('claude-opus-5.5')).status, 200);
      assert.deepEqual(relay.asked, ['cs-55-turbo', 'anthropic/claude-opus-5-5']);
    } finally {
      await running.close();
    }
  });

  test('is still known after a restart, before any provider is asked', async () => {
    const lists = relay.lists;
    assert.ok(readFileSync(path.join(folder, 'models.json'), 'utf8').includes('cs-55-turbo'));
    const running = await start(folder, yaml);
    try {
      assert.deepEqual(running.testRouter.directory.modelsOf('relay'), ['claude-sonnet-5.5', 'claude-opus-5.5']);
      assert.equal(running.testRouter.modelFacts.facts('relay', 'claude-opus-5.5').contextWindow, 900_000);
      assert.equal((await running.ask('claude-opus-5.5')).status, 200);
      assert.equal(relay.lists, lists);
    } finally {
      await running.close();
    }
  });
});
