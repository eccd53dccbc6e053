import { existsSync } from 'node:fs';
import path from 'node:path';
import { root, shippedServer } from '../bench/bundles.ts';

/** The router that is tried: as it is shipped, unless its sources have changed since it was built. */
export function serverFile(): string {
  const shipped = existsSync(path.join(root, 'dist/server.js')) ? shippedServer() : undefined;
  return shipped === undefined || shipped.stale ? path.join(root, 'server/main.ts') : shipped.file;
}
