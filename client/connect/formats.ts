import type { ConfigFormat } from './configFormat.ts';
import { envFormat } from './envFormat.ts';
import { jsonFormat } from './jsonFormat.ts';
import { tomlFormat } from './tomlFormat.ts';
import { yamlFormat } from './yamlFormat.ts';

/** The formats of configuration files, by the names that records keep. */
export const formats = { json: jsonFormat, yaml: yamlFormat, toml: tomlFormat, env: envFormat } as const satisfies Record<string, ConfigFormat>;
export type FormatName = keyof typeof formats;
