// `npm run settings`: writes what is generated from the configuration schema, the settings in package.json and docs/configuration.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { providers } from '../server/catalog/providers.ts';
import { settingsProperties } from '../server/config/jsonSchema.ts';
import { configReference } from './configReference.mjs';

const file = new URL('../package.json', import.meta.url);
const text = readFileSync(file, 'utf8');
const manifest = JSON.parse(text);
manifest.contributes ??= {};
manifest.contributes.configuration ??= { title: 'Waybill' };
manifest.contributes.configuration.properties = { ...manifest.contributes.configuration.properties, ...settingsProperties(providers) };
const indentation = /^\{\r?\n(\s+)"/.exec(text)?.[1];
writeFileSync(file, `${JSON.stringify(manifest, null, indentation)}\n`);
writeFileSync(new URL('../docs/configuration.md', import.meta.url), configReference());
