import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';

const root = path.join(import.meta.dirname, '..', '..', '..');
const { commandReference } = await import(pathToFileURL(path.join(root, 'scripts', 'commandReference.mjs')).href) as { commandReference(): string };

it('docs/commandLine.md is the table of commands (npm run commands writes it)', () => {
  assert.equal(readFileSync(path.join(root, 'docs', 'commandLine.md'), 'utf8'), commandReference());
});
