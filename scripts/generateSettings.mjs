// `npm run settings`: writes what is generated from the configuration schema: the settings in package.json, their texts in
// package.nls.json, and docs/configuration.md. The tools for agents in package.json are written from their table.
import { readFileSync, writeFileSync } from 'node:fs';
import { providers } from '../server/catalog/providers.ts';
import { settingsProperties } from '../server/config/jsonSchema.ts';
import { agentToolEntries } from './agentToolEntries.mjs';
import { configReference } from './configReference.mjs';
import { inOrder, keyed } from './manifestTexts.mjs';

const file = new URL('../package.json', import.meta.url);
const textsFile = new URL('../package.nls.json', import.meta.url);
const text = readFileSync(file, 'utf8');
const manifest = JSON.parse(text);
const texts = JSON.parse(readFileSync(textsFile, 'utf8'));
const generated = settingsProperties(providers);
for (const key of Object.keys(texts)) if (Object.keys(generated).some((name) => key.startsWith(`${name}.`))) delete texts[key];
manifest.contributes ??= {};
manifest.contributes.configuration ??= { title: 'Waybill' };
manifest.contributes.configuration.properties = {
  ...manifest.contributes.configuration.properties,
  ...Object.fromEntries(Object.entries(generated).map(([name, schema]) => [name, keyed(schema, name, texts)])),
};
manifest.contributes.languageModelTools = agentToolEntries();
const indentation = /^\{\r?\n(\s+)"/.exec(text)?.[1];
writeFileSync(file, `${JSON.stringify(manifest, null, indentation)}\n`);
writeFileSync(textsFile, `${JSON.stringify(inOrder(texts), null, 2)}\n`);
writeFileSync(new URL('../docs/configuration.md', import.meta.url), configReference());
