import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { protocolNames } from '../../../server/api/conversation.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { parseYamlConfig } from '../../../server/config/yamlConfig.ts';
import { endpointSchema, routeSchema } from '../../../server/config/schema.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const { configReference, exampleYaml } = await import(pathToFileURL(path.join(root, 'scripts', 'configReference.mjs')).href) as { configReference(): string; exampleYaml: string };

describe('docs/configuration.md', () => {
  it('is what the schema generates (npm run settings mends it)', () => {
    assert.equal(readFileSync(path.join(root, 'docs', 'configuration.md'), 'utf8'), configReference());
  });

  it('has a line for each field of endpoints and routes', () => {
    const page = configReference();
    for (const field of [...Object.keys(endpointSchema.shape), ...Object.keys(routeSchema.shape)]) assert.match(page, new RegExp(`^\\| \`${field}\``, 'm'));
  });

  it('has a bound for each figure', () => {
    assert.doesNotMatch(configReference(), /\| [^|]*undefined[^|]* \|/);
  });

  it('shows an example that is accepted without a problem', () => {
    const environment = { OPENAI_API_KEY: 'one', OPENAI_API_KEY_2: 'two', ANTHROPIC_API_KEY: 'three', RELAY_KEY: 'four' };
    const { config, keys, problems } = parseYamlConfig(exampleYaml, undefined, environment, { catalog: { findProvider, providers }, supportedProtocols: protocolNames });
    assert.deepEqual(problems, []);
    assert.deepEqual([...config.endpoints.keys()], ['openai', 'claude', 'relay']);
    assert.deepEqual([...config.routes.keys()], ['best']);
    assert.equal(keys.get('openai')?.length, 2);
  });
});
