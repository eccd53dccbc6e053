import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { factsOf } from '../../../server/catalog/facts/dialectWords.ts';
import { modelFamilies } from '../../../server/catalog/facts/modelFamilies.ts';
import { providers } from '../../../server/catalog/providers.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const { providerReference } = await import(pathToFileURL(path.join(root, 'scripts', 'providerReference.mjs')).href) as { providerReference(): string };

describe('the page of what providers refuse and charge', () => {
  test('is what the catalog says (npm run providers writes it anew)', () => {
    assert.equal(readFileSync(path.join(root, 'docs', 'providers.md'), 'utf8'), providerReference());
  });

  test('names a source for every rule, or says of the provider what none was found for', () => {
    for (const { id, dialect, simulated, sources = [], undocumented = [] } of providers) {
      if (id === 'sandbox' || simulated === true || id.endsWith('-compatible') || undocumented.length > 0) continue;
      const sourced = new Set(sources.flatMap(({ of }) => of));
      // The name of the output limit that every server knows, and names of reasoning that are read anyway, are no refusals.
      const rules = factsOf(dialect).filter(({ of }) => of !== 'maxTokensField' && of !== 'reasoningField' && of !== 'customTools');
      for (const { of } of rules) assert.ok(sourced.has(of), `${id}: no source for ${of}`);
    }
    for (const { name, facts } of modelFamilies) for (const { fact, sources } of facts) assert.ok(sources.length > 0, `${name}: ${fact.words}`);
  });

  test('every source has an address and the day on which it was read', () => {
    for (const { url, read } of [...providers.flatMap(({ sources = [] }) => sources), ...modelFamilies.flatMap(({ facts }) => facts.flatMap(({ sources }) => sources))]) {
      assert.match(url, /^https:\/\/\S+$|^[\w-]+#\d+$/);
      assert.match(read, /^2026-\d\d-\d\d$/);
    }
  });

  test('has a section for each provider that a user can choose', () => {
    const page = providerReference();
    for (const { id, name, simulated } of providers) if (id !== 'sandbox' && simulated !== true) assert.ok(page.includes(`## ${name}\n`), name);
  });
});
