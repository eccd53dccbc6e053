import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Opening a pipe waits for whoever writes into it, with the event loop held; with this flag it does not. Windows has none. */
const withoutWaiting = (constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0;

/**
 * Reads a text file that other programs may have put there.
 * @param maxBytes a longer file is not read
 * @throws the system's error, or an Error where the path leads to something else than a file, or to one that is too long
 */
export function readOrdinaryFile(path: string, maxBytes = Infinity): string {
  const descriptor = openSync(path, constants.O_RDONLY | withoutWaiting);
  try {
    const found = fstatSync(descriptor);
    // Of a folder the system says by itself that it is one.
    if (!found.isFile() && !found.isDirectory()) throw new Error(`${path} is no ordinary file.`);
    if (found.size > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes.`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}
