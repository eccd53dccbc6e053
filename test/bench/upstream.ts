import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { ProtocolName } from '../../server/api/conversation.ts';
import { MessageReader } from './messageReader.ts';
import { answerStreams, protocolOfCall, word, type AnswerStream } from './protocolTraffic.ts';
import { chunkGapMs, contentEvent, editorModelMark, editorModels, hurriedModel, lastEvents, longAnswerMark, longAnswers, nowUs, roleEvent, smallAnswer, smallMessagesAnswer, turnChunks, upstreamModel } from './traffic.ts';

/** A process of its own: a provider that answers at once. Tells its parent `{ port }`. */

const streamMark = Buffer.from('"stream":true');
const modelList = Buffer.from(JSON.stringify({ object: 'list', data: [{ id: upstreamModel, object: 'model', created: 0, owned_by: 'bench' }] }));
const answer = wholeAnswer(smallAnswer);
const messagesAnswer = wholeAnswer(smallMessagesAnswer);
const modelsAnswer = wholeAnswer(modelList);
const streamHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

function wholeAnswer(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`), body]);
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  let listsModels = false;
  let protocol: ProtocolName = 'openai-chat';
  let wantsEvents = false;
  let hurries = false;
  let beginning: Buffer | undefined;
  const reader = new MessageReader({
    onHead: head => {
      listsModels = head.startsWith('GET ');
      protocol = protocolOfCall(head);
      // A translated request says in its header what ours say in their first bytes.
      wantsEvents = head.includes('text/event-stream') || head.includes(':streamGenerateContent');
      hurries = head.includes(hurriedModel);
      beginning = undefined;
    },
    // Our requests say in their first bytes whether they want a stream, and of which model; the rest is thrown away.
    onBody: bytes => {
      beginning ??= bytes;
    },
    onEnd: () => {
      const asked = beginning?.subarray(0, 4096);
      if (listsModels) socket.write(modelsAnswer);
      else if (wantsEvents || (asked !== undefined && wantsStream(asked))) stream(socket, protocol, hurries || asked?.includes(hurriedModel) === true, asked);
      else if (protocol === 'anthropic-messages') socket.write(messagesAnswer);
      else socket.write(answer);
    },
  });
  socket.on('data', (bytes: Buffer) => reader.push(bytes));
  socket.on('error', () => socket.destroy());
}

function wantsStream(beginning: Buffer): boolean {
  return beginning.includes(streamMark) || beginning.includes(editorModelMark);
}

function stream(socket: Socket, protocol: ProtocolName, hurries: boolean, beginning: Buffer | undefined): void {
  const has = (mark: string | Buffer): boolean => beginning?.includes(mark) === true;
  const chat = answerStreams['openai-chat'];
  if (has(longAnswerMark('flood')) || has(editorModels.flood)) streamAtOnce(socket, longAnswers.flood.chunks);
  else if (has(longAnswerMark('steady'))) streamTurn(socket, chat, longAnswers.steady.chunks, longAnswers.steady.gapMs);
  else if (has(editorModels.short)) streamTurn(socket, chat, 1, 0);
  else streamTurn(socket, answerStreams[protocol], turnChunks, hurries ? 0 : chunkGapMs);
}

/** Events one write each, as fast as the receiver takes them. */
function streamAtOnce(socket: Socket, chunks: number): void {
  socket.write(streamHead + chunk(roleEvent));
  let sent = 0;
  const some = (): void => {
    if (socket.destroyed) return;
    while (sent < chunks) {
      sent++;
      if (!socket.write(chunk(contentEvent(nowUs())))) {
        socket.once('drain', some);
        return;
      }
    }
    socket.write(`${chunk(lastEvents)}0\r\n\r\n`);
  };
  some();
}

function streamTurn(socket: Socket, { opening, content, closing }: AnswerStream, chunks: number, gapMs: number): void {
  let said = '';
  let sent = 0;
  const event = (): string => {
    const atUs = nowUs();
    said += word(atUs);
    return content(atUs, sent++);
  };
  socket.write(streamHead + chunk(opening + event()));
  const next = (): void => {
    if (socket.destroyed) return;
    if (sent === chunks) {
      socket.write(`${chunk(closing(said))}0\r\n\r\n`);
      return;
    }
    socket.write(chunk(event()));
    if (gapMs > 0) setTimeout(next, gapMs);
    else setImmediate(next);
  };
  if (gapMs > 0) setTimeout(next, gapMs);
  else setImmediate(next);
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
