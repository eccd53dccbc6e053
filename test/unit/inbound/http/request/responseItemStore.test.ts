import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseItemStore } from '../../../../../server/inbound/http/request/responseItemStore.ts';

const call = { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{}', status: 'completed' };

test('an item of a streamed answer can be referred to on the next turn', () => {
  const given = new ResponseItemStore();
  const done = { type: 'response.output_item.done', sequence_number: 4, output_index: 0, item: call };
  given.rememberStreamed(`event: response.output_item.done\ndata: ${JSON.stringify(done)}\n\n`);
  const body = { model: 'm', input: [{ type: 'item_reference', id: 'fc_1' }, { type: 'function_call_output', call_id: 'c1', output: 'x' }] };
  assert.deepEqual(given.resolve(body), { model: 'm', input: [call, { type: 'function_call_output', call_id: 'c1', output: 'x' }] });
});

test('an item of a plain answer can be referred to, and a reference to an unknown item stays as it is', () => {
  const given = new ResponseItemStore();
  given.rememberPlain({ output: [call] });
  const foreign = { type: 'item_reference', id: 'msg_elsewhere' };
  assert.deepEqual(given.resolve({ input: [foreign, { type: 'item_reference', id: 'fc_1' }] }), { input: [foreign, call] });
  assert.equal(given.resolve({ input: [foreign] }), undefined);
  assert.equal(given.resolve({ input: 'words' }), undefined);
});

test('what is remembered is bounded: the oldest items go first', () => {
  const given = new ResponseItemStore();
  for (let index = 0; index <= 2000; index += 1) given.rememberPlain({ output: [{ ...call, id: `fc_${index}` }] });
  assert.equal(given.resolve({ input: [{ type: 'item_reference', id: 'fc_0' }] }), undefined);
  assert.notEqual(given.resolve({ input: [{ type: 'item_reference', id: 'fc_2000' }] }), undefined);
});

test('what is remembered is bounded in bytes: the newest items are kept', () => {
  const given = new ResponseItemStore();
  const reference = (index: number): { input: { type: string; id: string }[] } => ({ input: [{ type: 'item_reference', id: `fc_${index}` }] });
  for (let index = 0; index < 600; index += 1) given.rememberPlain({ output: [{ ...call, id: `fc_${index}`, arguments: 'ä'.repeat(100_000) }] });
  assert.ok(given.totalBytes <= 16 * 1024 * 1024, `${given.totalBytes} bytes`);
  assert.equal(given.resolve(reference(0)), undefined);
  assert.deepEqual(given.resolve(reference(599))?.input, [{ ...call, id: 'fc_599', arguments: 'ä'.repeat(100_000) }]);
});

test('an item that is remembered again counts once, and ids without end are not remembered', () => {
  const given = new ResponseItemStore();
  given.rememberPlain({ output: [call] });
  const once = given.totalBytes;
  given.rememberPlain({ output: [call, { ...call, id: 'i'.repeat(1_000_000) }] });
  assert.equal(given.totalBytes, once);
});
