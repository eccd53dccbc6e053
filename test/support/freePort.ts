import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to connections (from 32768 on Linux, from 49152 elsewhere): what was killed can listen again on a port of these,
 * which no connection has taken meanwhile.
 */
const [firstPort, endPort] = [16_384, 32_768];
const portsTried = 200;

/** A port of 127.0.0.1 without a listener, for a program that is told where to listen. */
export async function freePort(): Promise<number> {
  const start = randomInt(firstPort, endPort);
  for (let tried = 0; tried < portsTried; tried += 1) {
    const port = firstPort + (start - firstPort + tried) % (endPort - firstPort);
    if (await isFree(port)) return port;
  }
  throw new Error('No port is free.');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch {
    return false;
  }
  await new Promise(resolve => server.close(resolve));
  return true;
}
