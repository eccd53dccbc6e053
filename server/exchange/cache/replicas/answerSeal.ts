import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

/** Changes with the form of what is sealed. */
const format = 1;
const plainMark = 0;
const deflatedMark = 1;
const ivBytes = 12;
const tagBytes = 16;
const headBytes = 2;
/** Less is not worth compressing. */
const worthCompressing = 1024;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** Why sealed bytes could not be read: they are of another form, or they were changed, cut off or sealed with another secret. */
export class UnreadableAnswer extends Error {}

/**
 * Names and encrypts what replicas share of answers, with keys that are derived from one secret. A name says nothing of the request; bytes
 * belong to their name, so that those of another one are refused.
 */
export class AnswerSeal {
  readonly #namingKey: Buffer;
  readonly #sealingKey: Buffer;
  readonly #version: string;

  /** @param version of Waybill: what another version sealed has other names */
  constructor(secret: string, version: string) {
    this.#namingKey = derived(secret, 'names of answers');
    this.#sealingKey = derived(secret, 'answers');
    this.#version = version;
  }

  /** The name of something in the store. @param kind what it is @param key of it, which is not to be known there */
  nameOf(kind: 'answer' | 'route', key: string): string {
    return createHmac('sha256', this.#namingKey).update(JSON.stringify([format, this.#version, kind, key])).digest('base64url');
  }

  /** @returns base64 of a head, a random start, a tag and what is encrypted (AES-256-GCM), compressed where that is worth it */
  async seal(name: string, content: Buffer): Promise<string> {
    const deflated = content.length < worthCompressing ? content : await deflate(content);
    const isSmaller = deflated.length < content.length;
    const head = Buffer.of(format, isSmaller ? deflatedMark : plainMark);
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(name), iv).setAAD(head);
    const encrypted = Buffer.concat([cipher.update(isSmaller ? deflated : content), cipher.final()]);
    return Buffer.concat([head, iv, cipher.getAuthTag(), encrypted]).toString('base64');
  }

  /** @param mostBytes that the content may have @throws UnreadableAnswer */
  async open(name: string, sealed: string, mostBytes: number): Promise<Buffer> {
    const bytes = Buffer.from(sealed, 'base64');
    const head = bytes.subarray(0, headBytes);
    if (bytes.length < headBytes + ivBytes + tagBytes || head[0] !== format) throw new UnreadableAnswer('It has another form.');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#keyOf(name), bytes.subarray(headBytes, headBytes + ivBytes), { authTagLength: tagBytes }).setAAD(head);
      decipher.setAuthTag(bytes.subarray(headBytes + ivBytes, headBytes + ivBytes + tagBytes));
      const content = Buffer.concat([decipher.update(bytes.subarray(headBytes + ivBytes + tagBytes)), decipher.final()]);
      return head[1] === deflatedMark ? await inflate(content, { maxOutputLength: mostBytes }) : content;
    } catch (cause) {
      throw new UnreadableAnswer('It was changed, cut off, or sealed with another secret.', { cause });
    }
  }

  /** A key for each name, so that no two answers share a key and a random start. */
  #keyOf(name: string): Buffer {
    return createHmac('sha256', this.#sealingKey).update(name).digest();
  }
}

function derived(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'waybill', purpose, 32));
}
