import type { Requirements } from '../../../api/routes/requirements.ts';
import type { ProtocolName } from '../../../api/conversation.ts';
import { textTokens, tokensPerImage } from '../../../api/tokenEstimate.ts';
import { tokenLimit } from '../../../base/figures.ts';
import { asString, isObject } from '../../../base/json.ts';
import { fieldValue, type ObjectScan } from '../../../base/objectScan.ts';
import { mediaOf } from './media.ts';

/** What routing reads out of a request body, without parsing the whole of it. */
export interface RequestFacts {
  model: string;
  stream: boolean;
  includeUsage: boolean;
  /** Reasoning is asked for. */
  thinkingAsked: boolean;
  /** The top-level field in which the caller limits the answer, where there is one. */
  limitField: string | undefined;
  requirements: Requirements;
}

/** What the path of a request names, in protocols that name model and stream there. */
export interface NamedInPath { model?: string | undefined; stream?: boolean | undefined }

const imageTypes = ['image', 'image_url', 'input_image', 'image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/heic'];
const documentTypes = ['document', 'file', 'input_file', 'application/pdf'];
/** Media types that the scan of a request body looks for. */
export const mediaTypes: ReadonlySet<string> = new Set([...imageTypes, ...documentTypes]);

/**
 * Reads a request.
 * @returns undefined when there is no model name
 */
export function readRequestFacts(
  protocol: ProtocolName, bytes: Buffer, scan: ObjectScan, named: NamedInPath = {},
): RequestFacts | undefined {
  const model = named.model ?? asString(fieldValue(bytes, scan, 'model'));
  if (model === undefined || model === '') return undefined;
  const stream = named.stream ?? fieldValue(bytes, scan, 'stream') === true;
  const streamOptions = scan.fields.has('stream_options') ? fieldValue(bytes, scan, 'stream_options') : undefined;
  const images = imageTypes.some(type => scan.words.has(type));
  const documents = documentTypes.some(type => scan.words.has(type));
  const media = mediaOf(bytes, scan, images, documents);
  const limit = outputLimit(protocol, bytes, scan);
  const answers = answersAsked(protocol, bytes, scan);
  return {
    model,
    stream,
    thinkingAsked: asksForThinking(protocol, bytes, scan),
    includeUsage: isObject(streamOptions) && streamOptions.include_usage === true,
    limitField: limit?.field,
    requirements: {
      tools: holdsItems(bytes, scan, 'tools'),
      images,
      documents,
      jsonSchema: wantsSchema(protocol, bytes, scan),
      estimatedInputTokens: textTokens(bytes.length - scan.base64Bytes, 'lower') + (images ? tokensPerImage.lower : 0),
      maxOutputTokens: limit?.tokens,
      ...(answers === undefined ? {} : { answers }),
      ...(media === undefined ? {} : { media }),
    },
  };
}

const thinkingFields: Readonly<Record<ProtocolName, readonly string[]>> = {
  'openai-chat': ['reasoning_effort', 'reasoning', 'thinking'],
  'openai-responses': ['reasoning'],
  'anthropic-messages': ['thinking'],
  'gemini': ['generationConfig'],
};

/** Whether the body asks for reasoning; what turns it off is short, and looks the same in all protocols. */
function asksForThinking(protocol: ProtocolName, bytes: Buffer, scan: ObjectScan): boolean {
  return thinkingFields[protocol].some(field => {
    const range = scan.fields.get(field);
    if (range === undefined) return false;
    const text = bytes.toString('latin1', range.start, Math.min(range.end, range.start + longestThinkingField));
    if (protocol === 'gemini' && !text.includes('thinkingConfig')) return false;
    return !/"(?:none|disabled)"|"thinkingBudget"\s*:\s*0\b|^null$/.test(text);
  });
}

/** Fields about reasoning are short; a schema beside them may not be. */
const longestThinkingField = 4096;

const limitFields: Readonly<Record<ProtocolName, readonly string[]>> = {
  'openai-chat': ['max_completion_tokens', 'max_tokens'],
  'openai-responses': ['max_output_tokens'],
  'anthropic-messages': ['max_tokens'],
  'gemini': [],
};

/** The caller's own limit of the answer, and the top-level field it stands in. What cannot be a limit is the provider's to refuse. */
function outputLimit(protocol: ProtocolName, bytes: Buffer, scan: ObjectScan): { field?: string; tokens: number } | undefined {
  if (protocol === 'gemini') {
    const range = scan.fields.get('generationConfig');
    const written = range === undefined ? null : /"(?:maxOutputTokens|max_output_tokens)"\s*:\s*(\d{1,12})\b/.exec(bytes.toString('latin1', range.start, Math.min(range.end, range.start + longestThinkingField)));
    const tokens = written === null ? undefined : tokenLimit(Number(written[1]));
    return tokens === undefined ? undefined : { tokens };
  }
  for (const field of limitFields[protocol]) {
    const tokens = scan.fields.has(field) ? tokenLimit(fieldValue(bytes, scan, field)) : undefined;
    if (tokens !== undefined) return { field, tokens };
  }
  return undefined;
}

/** A provider refuses more than this long before. */
const mostAnswers = 10_000;

/** How many answers are asked for, where it is more than one. `best_of` of completions is charged as well. */
function answersAsked(protocol: ProtocolName, bytes: Buffer, scan: ObjectScan): number | undefined {
  let answers: number | undefined;
  if (protocol === 'openai-chat') {
    for (const field of ['n', 'best_of']) {
      const asked = scan.fields.has(field) ? fieldValue(bytes, scan, field) : undefined;
      if (typeof asked === 'number' && Number.isInteger(asked) && asked > (answers ?? 1)) answers = asked;
    }
  } else if (protocol === 'gemini') {
    const range = scan.fields.get('generationConfig');
    const written = range === undefined ? null : /"(?:candidateCount|candidate_count)"\s*:\s*(\d{1,6})\b/.exec(bytes.toString('latin1', range.start, Math.min(range.end, range.start + longestThinkingField)));
    if (written !== null && Number(written[1]) > 1) answers = Number(written[1]);
  }
  return answers === undefined ? undefined : Math.min(answers, mostAnswers);
}

/** Whether a field is an array that is not empty. */
function holdsItems(bytes: Buffer, scan: ObjectScan, name: string): boolean {
  const range = scan.fields.get(name);
  if (range === undefined || bytes[range.start] !== 0x5b) return false;
  return bytes.toString('latin1', range.start, Math.min(range.end, range.start + 64)).replace(/\s/g, '').length > 2;
}

const schemaFields: Readonly<Record<ProtocolName, readonly [field: string, mark: string]>> = {
  'openai-chat': ['response_format', 'json_schema'],
  'openai-responses': ['text', 'json_schema'],
  'anthropic-messages': ['output_config', 'json_schema'],
  'gemini': ['generationConfig', 'Schema"'],
};

function wantsSchema(protocol: ProtocolName, bytes: Buffer, scan: ObjectScan): boolean {
  const [field, mark] = schemaFields[protocol];
  const range = scan.fields.get(field);
  return range !== undefined && bytes.toString('latin1', range.start, range.end).includes(mark);
}
