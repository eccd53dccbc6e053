import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { HttpCall } from '../../../../../server/inbound/http/httpCall.ts';
import { exchangesRoutes } from '../../../../../server/inbound/http/routes/exchanges.ts';
import type { RouteServices } from '../../../../../server/inbound/http/routes/httpRoute.ts';

test('a search for exchanges ends when its caller is gone', async () => {
  const response = new EventEmitter();
  const answers: number[] = [];
  const call = { query: 'text=rare', response, json: (status: number) => { answers.push(status); } } as unknown as HttpCall;
  let given: AbortSignal | undefined;
  let finish: (() => void) | undefined;
  const router = { find: (_params: unknown, signal?: AbortSignal) => { given = signal; return new Promise(resolve => { finish = () => resolve({ requests: [] }); }); } };
  const handled = exchangesRoutes[0]?.handle(call, { router } as unknown as RouteServices);
  assert.equal(given?.aborted, false);
  response.emit('close');
  assert.equal(given.aborted, true);
  finish?.();
  await handled;
  assert.deepEqual(answers, []);
});
