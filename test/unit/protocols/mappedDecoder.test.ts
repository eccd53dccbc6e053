import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { withCallersNames } from '../../../server/protocols/tools/toolNames.ts';

describe('a decoder whose events are changed', () => {
  it('gives at the end of the stream what waited for the last event of the protocol', () => {
    const decoder = withCallersNames(anthropicMessages, new Map([['sent', 'caller.s']])).createStreamDecoder({});
    const events = [
      { type: 'message_start', message: { id: 'm', usage: { input_tokens: 1, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'sent', input: {} } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } },
    ].flatMap(event => decoder.decode(event.type, JSON.stringify(event)));
    assert.deepEqual(events.flatMap(event => (event.type === 'tool-call-start' ? [event.name] : [])), ['caller.s']);
    assert.deepEqual(decoder.close?.(), [{ type: 'finish', reason: 'tool-calls' }]);
  });
});
