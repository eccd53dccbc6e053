/** Parts of the world that an inference profile keeps to. Source: AWS's list of inference profiles, November 2026. */
const profile = /^(?:us-gov|us|eu|apac|ap|jp|au|ca|in|global)\.(?=[a-z0-9]+\.)/;

/** Makers as ids of models at Amazon Bedrock begin with them. */
const maker = /^(amazon|anthropic|ai21|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|zai)\.(?=.)/;

/** The version of an id, with the size of its window where one is written: `-v1:0`, `-v1`, `-1:0`, `-v2:1:200k`. */
const version = /(?:-v\d{1,2}(?::\d{1,2})?(?::\d{1,4}k)?|-\d:\d)$/;

/** Names that mean nothing without their maker. */
const bareVersion = /^(?:r|v)\d/;

/**
 * The name inside an id of Amazon Bedrock, such as `us.anthropic.claude-sonnet-4-5-20250929-v1:0`; any other name as it is.
 * @param name in lower case, without what stands before a slash
 */
export function withoutBedrockParts(name: string): string {
  if (!name.includes('.')) return name;
  const placed = name.replace(profile, '');
  const made = maker.exec(placed);
  if (made === null) return name;
  const own = placed.slice(made[0].length).replace(version, '').replace(/^llama(\d)-(\d)(?=-)/, 'llama-$1.$2');
  return bareVersion.test(own) ? `${made[1] ?? ''}-${own}` : own;
}

/** Whether a name is an id of Amazon Bedrock, or an ARN, and so stands for one certain model or profile. */
export function isBedrockId(spelling: string): boolean {
  const name = spelling.trim().toLowerCase();
  return name.startsWith('arn:aws') || maker.test(name.replace(profile, ''));
}

/** Ids of Claude that are not its name after the maker's. Source: Anthropic's page on Claude at Amazon Bedrock; read 2026-11-27. */
const datedClaude: Readonly<Record<string, string>> = {
  'claude-opus-4.6': 'claude-opus-4-6-v1', 'claude-opus-4.5': 'claude-opus-4-5-20251101-v1:0', 'claude-sonnet-4.5': 'claude-sonnet-4-5-20250929-v1:0',
  'claude-haiku-4.5': 'claude-haiku-4-5-20251001-v1:0', 'claude-sonnet-4': 'claude-sonnet-4-20250514-v1:0',
};

/**
 * The profile of a Claude model for the part of the world of a region, for accounts that may use models and not list them. Any other name as it is.
 * @param canonical the model's name
 */
export function presumedBedrockId(canonical: string, region: string): string {
  if (!canonical.startsWith('claude-')) return canonical;
  return `${partOfWorld(region)}.anthropic.${datedClaude[canonical] ?? canonical.replaceAll('.', '-')}`;
}

/** Never `global`: that computations stay in the part of the world is not given up by a guess. */
function partOfWorld(region: string): string {
  if (region.startsWith('us-gov-')) return 'us-gov';
  if (/^ap-northeast-[13]$/.test(region)) return 'jp';
  if (/^ap-southeast-[24]$/.test(region)) return 'au';
  const [first = 'us'] = region.split('-');
  return first === 'ap' ? 'apac' : first === 'eu' ? 'eu' : 'us';
}
