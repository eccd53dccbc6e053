import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { providers } from '../../../server/catalog/providers.ts';
import { settingsProperties } from '../../../server/config/jsonSchema.ts';
import { readManifest } from '../support/manifest.ts';

interface Manifest { contributes?: { configuration?: { properties?: Record<string, unknown> } } }

describe('the settings in package.json', () => {
  const generated = settingsProperties(providers);

  test('are what the schema generates (node scripts/generateSettings.mjs mends it)', () => {
    const manifest = readManifest<Manifest>();
    const properties = manifest.contributes?.configuration?.properties ?? {};
    for (const [name, property] of Object.entries(generated)) assert.deepEqual(properties[name], JSON.parse(JSON.stringify(property)), name);
  });

  test('cannot be changed by a workspace', () => {
    for (const property of Object.values(generated)) assert.equal(property['scope'], 'application');
  });

  test('have no place for keys', () => {
    const endpoint = generated['waybill.endpoints']['additionalProperties'] as { properties: Record<string, unknown>; additionalProperties: unknown };
    assert.equal('keys' in endpoint.properties, false);
    assert.equal(endpoint.additionalProperties, false);
  });

  test('describe every field', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      const { properties, additionalProperties } = schema as { properties?: Record<string, { description?: string }>; additionalProperties?: unknown };
      for (const [name, property] of Object.entries(properties ?? {})) {
        if (property.description === undefined) undescribed.push(`${path}.${name}`);
        visit(property, `${path}.${name}`);
      }
      if (typeof additionalProperties === 'object') visit(additionalProperties, `${path}.*`);
    };
    for (const [name, property] of Object.entries(generated)) visit(property, name);
    assert.deepEqual(undescribed, []);
  });
});
