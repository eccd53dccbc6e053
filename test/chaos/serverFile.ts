import { existsSync } from 'node:fs';
import path from 'node:path';
import { root, shippedServer } from '../bench/bundles.ts';

/** The router under test: the shipped bundle, or the sources when they are newer. */
export function serverFile(): string {
  const shipped = existsSync(path.join(root, 'dist/server.js')) ? shippedServer() : undefined;
  return shipped === undefined || shipped.stale ? path.join(root, 'server/main.ts') : shipped.file;
}
