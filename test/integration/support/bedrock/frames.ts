import { crc32 } from 'node:zlib';

/** A message of AWS's binary event stream: length, length of headers, checksum of both, headers, payload, checksum of all. Written from AWS's description of the format. */
export function frame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => {
    const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)];
    const length = Buffer.alloc(2);
    length.writeUInt16BE(valueBytes.length);
    // 7: a string.
    return Buffer.concat([Buffer.of(nameBytes.length), nameBytes, Buffer.of(7), length, valueBytes]);
  }));
  const body = Buffer.from(payload);
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + head.length + body.length, 0);
  prelude.writeUInt32BE(head.length, 4);
  const start = Buffer.concat([prelude, checksum(prelude), head, body]);
  return Buffer.concat([start, checksum(start)]);
}

function checksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}

export function eventFrame(name: string, payload: unknown): Buffer {
  return frame({ ':event-type': name, ':content-type': 'application/json', ':message-type': 'event' }, JSON.stringify(payload));
}

/** An event of Claude's own form, as InvokeModelWithResponseStream sends it. */
export function chunkFrame(event: unknown): Buffer {
  return eventFrame('chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abcdefghijk' });
}

/** @param name as streams spell it, such as `throttlingException` */
export function exceptionFrame(name: string, message: string): Buffer {
  return frame({ ':exception-type': name, ':content-type': 'application/json', ':message-type': 'exception' }, JSON.stringify({ message }));
}
