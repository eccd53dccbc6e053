import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConversationTitles, titleOf } from '../../../../client/chat/conversationTitles.ts';
import type { Message } from '../../../../server/api/conversation.ts';

const user = (...texts: string[]): Message => ({ role: 'user', content: texts.map(text => ({ type: 'text', text })) });

test('the title of a conversation is the first words that a person typed, and nothing of what the editor adds', () => {
  assert.equal(titleOf([user('<context>\nthe date\n</context>', '<userRequest>\nFix the\n login  bug\n</userRequest>')]), 'Fix the login bug');
  assert.equal(titleOf([user('<environment_info>\nLinux\n</environment_info>'), user('<userRequest>Second message</userRequest>')]), 'Second message');
  assert.equal(titleOf([user('Plain words')]), 'Plain words');
  assert.equal(titleOf([user('<context>only</context>')]), undefined);
  assert.equal(titleOf([]), undefined);
  assert.ok((titleOf([user('word '.repeat(100))]) ?? '').length <= 60);
});

test('a title stays that of the first turn, and the oldest are forgotten', () => {
  const titles = new ConversationTitles();
  titles.keep('c-0', { messages: [user('First')] });
  titles.keep('c-0', { messages: [user('Another')] });
  assert.equal(titles.of('c-0'), 'First');
  titles.keep(undefined, { messages: [user('A summary')] });
  for (let index = 1; index <= 200; index += 1) titles.keep(`c-${String(index)}`, { messages: [user('Later')] });
  assert.deepEqual([titles.of('c-0'), titles.of('c-200')], [undefined, 'Later']);
});
