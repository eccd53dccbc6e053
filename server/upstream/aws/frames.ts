import { EventStreamCodec } from '@smithy/core/event-streams';
import { asString, isObject, parseJson } from '../../base/json.ts';
import type { FrameReader } from './aws.ts';

/** AWS bounds a message to 16 MB and its headers to 128 KB. */
const largestFrame = 17 * 1024 * 1024;
const preludeBytes = 12;
const smallestFrame = 16;

const codec = new EventStreamCodec(bytes => Buffer.from(bytes).toString('utf8'), text => Buffer.from(text, 'utf8'));

/** Statuses that exceptions have outside of streams. Source: the API reference of Bedrock's runtime. */
const statuses: Readonly<Record<string, number>> = {
  ThrottlingException: 429, ValidationException: 400, ServiceUnavailableException: 503, InternalServerException: 500, ModelStreamErrorException: 424,
  ModelTimeoutException: 408, ModelErrorException: 424, ModelNotReadyException: 429, AccessDeniedException: 403, ResourceNotFoundException: 404,
  ExpiredTokenException: 403, ServiceQuotaExceededException: 400,
};

/**
 * Reads frames of `application/vnd.amazon.eventstream`, each with a length, headers and two checksums. A chunk of InvokeModel
 * holds an event of the model's own form; other events keep the name of their frame; exceptions become an `error` event.
 */
export class EventFrames implements FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Nothing can be read before so many bytes are there. */
  #needed = preludeBytes;

  push(chunk: Buffer): string {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return '';
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces, this.#bytes);
    let text = '';
    let at = 0;
    this.#needed = preludeBytes;
    while (bytes.length - at >= preludeBytes) {
      const length = bytes.readUInt32BE(at);
      if (length < smallestFrame || length > largestFrame) throw new Error(`a frame of ${length} bytes in the event stream`);
      if (bytes.length - at < length) {
        this.#needed = length;
        break;
      }
      text += eventText(bytes.subarray(at, at + length));
      at += length;
    }
    this.#pieces = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#bytes = bytes.length - at;
    return text;
  }
}

/** @throws Error when a checksum is wrong */
function eventText(frame: Buffer): string {
  const { headers, body } = codec.decode(frame);
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const word = (name: string): string | undefined => {
    const value: unknown = headers[name]?.value;
    return typeof value === 'string' ? value : undefined;
  };
  switch (word(':message-type')) {
    case 'exception': return exceptionText(word(':exception-type') ?? 'Exception', text);
    case 'error': return exceptionText(word(':error-code') ?? 'InternalServerException', JSON.stringify({ message: word(':error-message') ?? '' }));
    default:
  }
  const name = word(':event-type');
  if (name === undefined || name === 'initial-response') return '';
  if (name !== 'chunk') return sse(name, text);
  const chunk = parseJson(text);
  const bytes = isObject(chunk) ? asString(chunk.bytes) : undefined;
  if (bytes === undefined) return '';
  const inner = Buffer.from(bytes, 'base64').toString('utf8');
  return sse(/^\s*\{\s*"type"\s*:\s*"(\w{1,60})"/.exec(inner.slice(0, 100))?.[1] ?? typeOf(inner), inner);
}

function typeOf(inner: string): string | undefined {
  const event = parseJson(inner);
  const type = isObject(event) ? asString(event.type) : undefined;
  return type !== undefined && /^\w{1,60}$/.test(type) ? type : undefined;
}

function exceptionText(name: string, text: string): string {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const said = parseJson(text);
  const message = isObject(said) ? asString(said.message) ?? asString(said.Message) ?? asString(said.originalMessage) : undefined;
  return sse('error', JSON.stringify({ type: 'error', error: { type, message: message ?? type, status: statuses[type] } }));
}

function sse(name: string | undefined, data: string): string {
  const lines = /[\r\n]/.test(data) ? data.trim().replace(/\r\n|\r|\n/g, '\ndata: ') : data;
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${lines}\n\n`;
}
