import { blockScanWasm } from './blockScanWasm.ts';

const blockBytes = 64;
const pieceBytes = 64 * 1024;

/** What blockScan.wat exports. */
interface Exports {
  memory: { buffer: ArrayBuffer };
  depth: { value: number };
  inside: { value: number };
  escape: { value: bigint };
  start: { value: number };
  short: { value: number };
  long: { value: number };
  noted: { value: number };
  run(length: number): number;
}

/** The parts of WebAssembly that are used here. The types of Node have none of it. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
}

/** Where a scan stands in a value. */
export interface ValueScan {
  /** Open brackets; 0 inside of a string that is a value of the top level. */
  depth: number;
  /** Index after the opening quote of the string that is being read; -1 outside of strings. */
  stringStart: number;
  /** The value ended in the bytes that were read. */
  ended: boolean;
}

/**
 * Finds strings and the end of a JSON value with WebAssembly's vector instructions, several times faster than JavaScript
 * can read bytes, above all in text full of quotes. What it reads has to be copied into its own memory.
 */
export class BlockScan {
  readonly #exports: Exports;
  readonly #bytes: Uint8Array;
  readonly #noted: Int32Array;

  private constructor(exports: Exports) {
    this.#exports = exports;
    this.#bytes = new Uint8Array(exports.memory.buffer, 0, pieceBytes);
    this.#noted = new Int32Array(exports.memory.buffer, pieceBytes);
  }

  /** @returns undefined where the processor or the system does not allow it */
  static create(): BlockScan | undefined {
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
    try {
      return new BlockScan(new Instance(new Module(Buffer.from(blockScanWasm, 'base64'))).exports as Exports);
    } catch {
      return undefined;
    }
  }

  /**
   * Reads on in a value, up to its end or to the last whole block, and changes `value`.
   * @param short strings of at most so many bytes are noted
   * @param long strings of more bytes are noted
   * @param note gets each noted string that ended inside of brackets: its start after the opening quote, and its end before the closing one
   * @returns the index to go on at; one after `to` where an escape reaches beyond it
   */
  read(bytes: Buffer, from: number, to: number, value: ValueScan, short: number, long: number, note: (start: number, end: number) => void): number {
    const { depth, inside, escape, start, noted, run } = this.#exports;
    this.#exports.short.value = short;
    this.#exports.long.value = long;
    depth.value = value.depth;
    inside.value = value.stringStart < 0 ? 0 : 1;
    escape.value = 0n;
    let at = from;
    while (to - at >= blockBytes) {
      const length = Math.min(pieceBytes, to - at) & -blockBytes;
      this.#bytes.set(bytes.subarray(at, at + length));
      start.value = value.stringStart - at;
      const end = run(length);
      const count = (noted.value - pieceBytes) >> 2;
      for (let index = 0; index < count; index += 2) note(at + (this.#noted[index] ?? 0), at + (this.#noted[index + 1] ?? 0));
      value.stringStart = inside.value === 1 ? at + start.value : -1;
      value.ended = end >= 0;
      value.depth = depth.value;
      if (value.ended) return at + end;
      at += length;
    }
    return at + Number(escape.value);
  }
}

let shared: BlockScan | 'none' | undefined;

/** The one that all scans share, made at the first large body; undefined where there can be none. */
export function sharedBlockScan(): BlockScan | undefined {
  shared ??= BlockScan.create() ?? 'none';
  return shared === 'none' ? undefined : shared;
}
