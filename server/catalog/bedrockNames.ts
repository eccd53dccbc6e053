/** Parts of the world that an inference profile keeps to. Source: AWS's list of inference profiles, November 2026. */
const profile = /^(?:us-gov|us|eu|apac|ap|jp|au|ca|global)\.(?=[a-z0-9]+\.)/;

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
