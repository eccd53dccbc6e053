import { build } from 'esbuild';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

const serverBundle = path.join(root, 'dist/server.js');

/** The server as it is shipped. @throws Error when it was not built */
export function shippedServer(): { file: string; stale: boolean } {
  if (!existsSync(serverBundle)) throw new Error('dist/server.js is missing: npm run build');
  const builtMs = statSync(serverBundle).mtimeMs;
  const stale = globSync('server/**/*.ts', { cwd: root }).some(file => statSync(path.join(root, file)).mtimeMs > builtMs);
  return { file: serverBundle, stale };
}

/** Bundles the pass-through as the server is bundled (scripts/build.mjs). @returns the file */
export function buildPassThrough(folder: string, minify = true): Promise<string> {
  return bundle('test/bench/passThrough.ts', path.join(folder, 'passThrough.js'), minify);
}

/** The server with readable names, for profiles. @returns the file */
export function buildReadableServer(folder: string): Promise<string> {
  return bundle('server/main.ts', path.join(folder, 'server.js'), false);
}

async function bundle(entry: string, outfile: string, minify: boolean): Promise<string> {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  await build({
    absWorkingDir: root, entryPoints: [entry], outfile, bundle: true, minify, platform: 'node', format: 'cjs', target: 'node22',
    mainFields: ['module', 'main'], legalComments: 'none', logLevel: 'warning', define: { 'process.env.WAYBILL_VERSION': JSON.stringify(version), 'import.meta.dirname': '__dirname' },
  });
  return outfile;
}
