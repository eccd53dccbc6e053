import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { MessageReader } from './messageReader.ts';
import { chunkGapMs, contentEvent, editorModelMark, editorModels, lastEvents, longAnswerMark, longAnswers, nowUs, roleEvent, smallAnswer, smallMessagesAnswer, turnChunks, upstreamModel } from './traffic.ts';

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
  let speaksMessages = false;
  let beginning: Buffer | undefined;
  const reader = new MessageReader({
    onHead: head => {
      listsModels = head.startsWith('GET ');
      speaksMessages = head.startsWith('POST /v1/messages');
      beginning = undefined;
    },
    // Our requests say in their first bytes whether they want a stream; the rest is thrown away.
    onBody: bytes => {
      beginning ??= bytes;
    },
    onEnd: () => {
      if (listsModels) socket.write(modelsAnswer);
      else if (speaksMessages) socket.write(messagesAnswer);
      else if (beginning !== undefined && wantsStream(beginning.subarray(0, 4096))) stream(socket, beginning.subarray(0, 4096));
      else socket.write(answer);
    },
  });
  socket.on('data', (bytes: Buffer) => reader.push(bytes));
  socket.on('error', () => socket.destroy());
}

function wantsStream(beginning: Buffer): boolean {
  return beginning.includes(streamMark) || beginning.includes(editorModelMark);
}

function stream(socket: Socket, beginning: Buffer): void {
  if (beginning.includes(longAnswerMark('flood')) || beginning.includes(editorModels.flood)) streamAtOnce(socket, longAnswers.flood.chunks);
  else if (beginning.includes(longAnswerMark('steady'))) streamTurn(socket, longAnswers.steady.chunks, longAnswers.steady.gapMs);
  else if (beginning.includes(editorModels.short)) streamTurn(socket, 1, 0);
  else streamTurn(socket, turnChunks, chunkGapMs);
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

function streamTurn(socket: Socket, chunks: number, gapMs: number): void {
  socket.write(streamHead + chunk(roleEvent + contentEvent(nowUs())));
  let sent = 1;
  const next = (): void => {
    if (socket.destroyed) return;
    if (sent === chunks) {
      socket.write(`${chunk(lastEvents)}0\r\n\r\n`);
      return;
    }
    sent++;
    socket.write(chunk(contentEvent(nowUs())));
    setTimeout(next, gapMs);
  };
  setTimeout(next, gapMs);
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
