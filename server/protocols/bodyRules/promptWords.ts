import type { JsonValue } from '../../base/json.ts';

/** What a user says where a model does not continue its own last message. */
export const goOn = 'Continue exactly where your last message ends.';

/** What asks for JSON where a provider wants the word in the prompt. */
export const jsonWords = 'Answer with one valid JSON object and nothing else.';

/** What asks for a schema where a provider has no field for it. */
export function schemaWords(schema: JsonValue | undefined): string {
  return `Answer with one valid JSON value and nothing else. It must match this JSON schema:\n${JSON.stringify(schema ?? {})}`;
}

/** What asks for a call of a tool where a model refuses to be forced. @param tool its name; undefined: any */
export function mustCallWords(tool: string | undefined): string {
  return tool === undefined ? 'You must call at least one of the tools now.' : `You must call the tool "${tool}" now.`;
}
