import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConversationRequest, Message } from '../../../server/api/conversation.ts';
import { KeptHistories, mostKeptCharacters, shortestKept, type SentConversation } from '../../../server/api/keptHistories.ts';
import { seededRandom } from '../support/seededRandom.ts';

function message(text: string, role: Message['role'] = 'user'): Message {
  return { role, content: [{ type: 'text', text }] };
}

function conversation(texts: readonly string[], changes: Partial<ConversationRequest> = {}): ConversationRequest {
  return { system: [{ type: 'text', text: 'Be brief.' }], messages: texts.map(text => message(text)), tools: [{ name: 'read', parameters: { type: 'object', properties: { path: { type: 'string' } } } }], ...changes };
}

/** What the other process gets. */
function overTheWire<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

const long = 'x'.repeat(shortestKept);

/** Both ends of a connection. */
class BothEnds {
  readonly editor = new KeptHistories();
  readonly server = new KeptHistories();
  #chats = 0;

  /** Sends a conversation as client and server do. @returns what was sent, and what the server makes of it */
  send(whole: ConversationRequest): { sent: SentConversation; received: ConversationRequest | undefined } {
    const id = `chat-${String(++this.#chats)}`;
    const sent = this.editor.shorten(whole);
    this.editor.keep(id, whole, sent.continues?.id);
    const onTheWire = overTheWire(sent);
    const received = this.server.whole(onTheWire);
    if (received !== undefined) this.server.keep(id, received, onTheWire.continues?.id);
    return { sent, received };
  }
}

describe('histories that both ends of a connection keep', () => {
  it('the next turn sends what is new, and arrives whole', () => {
    const ends = new BothEnds();
    assert.equal(ends.send(conversation([long, 'one'])).sent.continues, undefined);
    const next = conversation([long, 'one', 'two'], { temperature: 0.5, toolChoice: { type: 'auto' } });
    const { sent, received } = ends.send(next);
    assert.deepEqual(sent, { conversation: { ...next, system: [], tools: [], messages: [message('two')] }, continues: { id: 'chat-1', messages: 2, system: true, tools: true } });
    assert.deepEqual(received, next);
  });

  it('instructions and tools that changed are sent', () => {
    const ends = new BothEnds();
    ends.send(conversation([long]));
    const other = conversation([long, 'two'], { system: [], tools: [{ name: 'read', parameters: { properties: { path: { type: 'string' } }, type: 'object' } }] });
    const { sent, received } = ends.send(other);
    assert.deepEqual(sent.continues, { id: 'chat-1', messages: 1 });
    assert.deepEqual(received, other);
    assert.equal(JSON.stringify(received?.tools), JSON.stringify(other.tools), 'in their own order of fields');
  });

  it('a message that was edited is sent with all that follow it', () => {
    const ends = new BothEnds();
    ends.send(conversation([long, 'one', 'two']));
    const edited = conversation([long, 'one, corrected', 'two']);
    const { sent, received } = ends.send(edited);
    assert.equal(sent.conversation.messages.length, 2);
    assert.deepEqual(received, edited);
  });

  it('two conversations that go on by turns are both continued', () => {
    const ends = new BothEnds();
    const texts = { left: [`left ${long}`], right: [`right ${long}`] };
    for (let turn = 0; turn < 5; turn++) {
      for (const side of ['left', 'right'] as const) {
        texts[side].push(`turn ${String(turn)}`);
        const { sent, received } = ends.send(conversation(texts[side]));
        assert.equal(sent.conversation.messages.length, turn === 0 ? 2 : 1);
        assert.deepEqual(received, conversation(texts[side]));
      }
    }
  });

  it('what is short is sent as it is, and keeps nothing away', () => {
    const ends = new BothEnds();
    ends.send(conversation([long]));
    for (let chat = 0; chat < 20; chat++) assert.equal(ends.send(conversation(['What is a waybill?'])).sent.continues, undefined);
    assert.equal(ends.send(conversation([long, 'two'])).sent.continues?.messages, 1);
  });

  it('is bounded in number and in size', () => {
    const ends = new BothEnds();
    const texts = Array.from({ length: 6 }, (_, index) => `${String(index)} ${long}`);
    for (const text of texts) ends.send(conversation([text]));
    assert.equal(ends.send(conversation([texts[0] ?? '', 'next'])).sent.continues, undefined);
    const half = 'y'.repeat(mostKeptCharacters / 2);
    for (const text of ['a', 'b', 'c']) ends.send(conversation([text + half]));
    assert.equal(ends.send(conversation([`a${half}`, 'next'])).sent.continues, undefined);
    assert.equal(ends.send(conversation([half + half])).received?.messages.length, 1);
    assert.equal(ends.send(conversation([half + half, 'next'])).sent.continues, undefined);
  });

  it('a server that does not have the chat, or gets a number that cannot be, says so', () => {
    const server = new KeptHistories();
    server.keep('known', conversation([long]), undefined);
    const rest = conversation([]);
    assert.equal(server.whole({ conversation: rest, continues: { id: 'unknown', messages: 1 } }), undefined);
    for (const messages of [2, -1, 0.5, NaN, '1', undefined, null]) {
      assert.equal(server.whole({ conversation: rest, continues: { id: 'known', messages: messages as number } }), undefined, String(messages));
    }
    assert.deepEqual(server.whole({ conversation: rest, continues: { id: 'known', messages: 1 } }), conversation([long]));
  });

  it('does not take objects with a JSON of their own for the same', () => {
    const ends = new KeptHistories();
    const dated = (at: number): ConversationRequest => conversation([long], { tools: [{ name: 'read', parameters: { default: new Date(at) } }] });
    ends.keep('1', dated(0), undefined);
    assert.deepEqual(ends.shorten(dated(1)).continues, { id: '1', messages: 1, system: true });
  });

  it('any conversations arrive as they were, whatever is changed between two of them', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = seededRandom(seed);
      const ends = new BothEnds();
      const conversations = Array.from({ length: 6 }, () => [`${String(random())} ${'z'.repeat(Math.floor(random() * 2 * shortestKept))}`]);
      let shortened = 0;
      for (let step = 0; step < 40; step++) {
        const texts = conversations[Math.floor(random() * conversations.length)] ?? [];
        const change = random();
        if (change < 0.6) texts.push(`${String(step)} "quoted" \n\ud800 ${'w'.repeat(Math.floor(random() * 3000))}`);
        else if (change < 0.8 && texts.length > 1) texts.pop();
        else if (change < 0.9) texts[Math.floor(random() * texts.length)] += '!';
        const whole = conversation(texts, random() < 0.2 ? { tools: [] } : random() < 0.2 ? { system: [{ type: 'text', text: String(step) }] } : {});
        const { sent, received } = ends.send(whole);
        if (sent.continues !== undefined) shortened++;
        assert.equal(JSON.stringify(received), JSON.stringify(whole), `seed ${String(seed)}, step ${String(step)}`);
      }
      assert.ok(shortened > 0, `seed ${String(seed)}`);
    }
  });
});
