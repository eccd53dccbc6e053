import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { WaybillError } from '../../../../server/base/failure.ts';
import { ResponseItemStore } from '../../../../server/inbound/http/request/responseItemStore.ts';
import { HttpSink } from '../../../../server/inbound/http/httpSink.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';
import { isObject, parseJson } from '../../../../server/base/json.ts';
import { rawRequest } from '../../../integration/support/rawClient.ts';

it('an answer of the Responses protocol that goes through and breaks off ends in an error with its own id', async () => {
  const codec = codecFor('openai-responses');
  assert.ok(codec !== undefined);
  const server = createServer((_request, response) => {
    const caller = new HttpSink(response, {
      codec, stream: true, includeUsage: true, estimatedInputTokens: 1, exchangeId: 'wb_1', items: new ResponseItemStore(), requestedModel: 'auto', tools: () => [],
    });
    caller.begin({ exchangeId: 'wb_1', target: 'a/m', attempts: 1, model: 'm', headers: {} });
    caller.bytes(Buffer.from('event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"object":"response","id":"resp_7"}}\n\n'));
    caller.bytes(Buffer.from('event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":1,"delta":"Hel"}\n\n'));
    caller.fail({ error: new WaybillError('stream-cut', 'server', 'a broke the connection.'), exchangeId: 'wb_1', attempts: 1 });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const answer = await rawRequest({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
    const last = parseJson(/.*data: (\{"type":"response\.failed".*)/.exec(answer.text)?.[1] ?? '');
    assert.ok(isObject(last) && isObject(last.response));
    assert.equal(last.response.id, 'resp_7');
    assert.equal(answer.endedCleanly, false);
  } finally {
    server.close();
  }
});
