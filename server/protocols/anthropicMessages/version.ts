import type { Dialect } from '../codec.ts';

/** The header that names the version of Anthropic's API. */
export const versionHeader = 'anthropic-version';

/** The version that is sent where neither caller nor settings name another. */
export const defaultAnthropicVersion = '2023-06-01';

/** The version of Anthropic's API that a dialect uses. */
export function anthropicVersion(dialect: Dialect): string {
  return dialect.anthropicVersion ?? defaultAnthropicVersion;
}
