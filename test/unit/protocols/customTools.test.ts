import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationEvent, ToolDefinition } from '../../../server/api/conversation.ts';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { asFunction, asFunctionArguments, CustomToolRestorer, freeTextOf, grammarOf } from '../../../server/protocols/customTools.ts';
import { gatherAnswer } from '../../../server/protocols/events.ts';
import { meta } from './replay.ts';

const patch: ToolDefinition = { name: 'patch', description: 'Edits.', kind: 'custom', format: { type: 'grammar', syntax: 'regex', definition: 'a+' } };

describe('a free-text tool at a target that knows only functions', () => {
  test('is a function that says what the text must be', () => {
    const { kind, format, description, parameters } = asFunction(patch);
    assert.deepEqual([kind, format, parameters?.required], [undefined, undefined, ['input']]);
    assert.match(description ?? '', /^Edits\.\n\n.*"input"\.\n\nThe text must match this regex grammar:\na\+$/s);
  });

  test('leaves functions as they are', () => {
    const tool: ToolDefinition = { name: 'f', parameters: { type: 'object' } };
    assert.equal(asFunction(tool), tool);
    assert.equal(asFunctionArguments({ arguments: '' }), '{}');
    assert.equal(asFunctionArguments({ arguments: '{"a":1}' }), '{"a":1}');
  });

  test('has its grammar read in the form of either OpenAI protocol', () => {
    assert.deepEqual(grammarOf(patch.format), { syntax: 'regex', definition: 'a+' });
    assert.deepEqual(grammarOf({ type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } }), { syntax: 'lark', definition: 'x' });
    assert.equal(grammarOf({ type: 'text' }), undefined);
  });

  for (const [sent, text] of [
    ['{"input":"a\\n\\"b\\""}', 'a\n"b"'], ['{"patch":"a"}', 'a'], ['"a"', 'a'], ['*** Begin', '*** Begin'], ['', ''], ['{"a":"x","b":"y"}', '{"a":"x","b":"y"}'], ['{"a":1}', '{"a":1}'],
  ] as const) {
    test(`called with ${sent} gets ${text}`, () => assert.equal(freeTextOf(sent), text));
  }

  test('is called again as what it is, while other calls pass through as they come', () => {
    const restorer = CustomToolRestorer.for([patch, { name: 'f' }]);
    const events: ConversationEvent[] = [
      { type: 'tool-call-start', index: 0, id: 'a', name: 'patch' }, { type: 'tool-call-start', index: 1, id: 'b', name: 'f' },
      { type: 'tool-call-arguments', index: 0, text: '{"inp' }, { type: 'tool-call-arguments', index: 1, text: '{}' }, { type: 'tool-call-arguments', index: 0, text: 'ut":"x"}' },
      { type: 'tool-call-end', index: 0 }, { type: 'tool-call-end', index: 1 },
    ];
    const answer = gatherAnswer(events.flatMap((event) => restorer?.restore(event) ?? []));
    assert.deepEqual(answer.parts.map((part) => (part.type === 'tool-call' ? [part.name, part.kind, part.arguments, part.complete] : [])), [['patch', 'custom', 'x', true], ['f', undefined, '{}', true]]);
    assert.equal(CustomToolRestorer.for([{ name: 'f' }]), undefined);
  });

  test('called by a model behind another protocol is valid JSON for a Messages caller', () => {
    const encoder = anthropicMessages.createStreamEncoder(meta);
    const events: ConversationEvent[] = [{ type: 'tool-call-start', index: 0, id: 'a', name: 'patch', kind: 'custom' }, { type: 'tool-call-arguments', index: 0, text: 'say "' }, { type: 'tool-call-arguments', index: 0, text: 'x"' }, { type: 'tool-call-end', index: 0 }];
    const pieces = [...events.map((event) => encoder.encode(event)), encoder.end()].join('').matchAll(/"partial_json":("(?:[^"\\]|\\.)*")/g);
    assert.deepEqual(JSON.parse([...pieces].map(([, piece]) => JSON.parse(piece ?? '') as string).join('')), { input: 'say "x"' });
  });
});
