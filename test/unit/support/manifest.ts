import { readFileSync } from 'node:fs';

const root = new URL('../../../', import.meta.url);
const { withTexts } = await import(new URL('scripts/manifestTexts.mjs', root).href) as { withTexts(value: unknown, texts: Record<string, string>): unknown };

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, root), 'utf8'));
}

/** package.json as an English editor reads it: with its texts in place of their keys. */
export function readManifest<Manifest>(): Manifest {
  return withTexts(readJson('package.json'), readJson('package.nls.json') as Record<string, string>) as Manifest;
}
