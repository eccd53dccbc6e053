import type { ProtocolName } from '../../api/conversation.ts';
import { asNumber, asString, isObject } from '../../base/json.ts';
import { fieldValue, type ObjectScan } from '../../base/objectScan.ts';
import type { Needs } from '../../routing/plan.ts';

/** What routing reads out of a request body, without parsing the whole of it. */
export interface RequestFacts {
  model: string;
  stream: boolean;
  includeUsage: boolean;
  needs: Needs;
}

/** Media types as they stand in compact and in spaced JSON. */
const imageMarks = [':"image_url"', ': "image_url"', ':"image"', ': "image"', ':"input_image"', ': "input_image"'].map(mark => Buffer.from(mark));
const documentMarks = [':"document"', ': "document"', ':"file"', ': "file"', ':"input_file"', ': "input_file"'].map(mark => Buffer.from(mark));

/** Bytes of JSON a token stands for at the most in ordinary text: makes the estimate a lower bound. */
const bytesPerToken = 5;
const tokensPerImage = 250;

/**
 * Reads a request of a protocol that names its model in the body.
 * @returns undefined when there is no model name in it
 */
export function readRequestFacts(protocol: ProtocolName, bytes: Buffer, scan: ObjectScan): RequestFacts | undefined {
  const model = asString(fieldValue(bytes, scan, 'model'));
  if (model === undefined || model === '') return undefined;
  const streamOptions = scan.fields.has('stream_options') ? fieldValue(bytes, scan, 'stream_options') : undefined;
  const images = holdsAny(bytes, imageMarks);
  return {
    model,
    stream: fieldValue(bytes, scan, 'stream') === true,
    includeUsage: isObject(streamOptions) && streamOptions.include_usage === true,
    needs: {
      stream: fieldValue(bytes, scan, 'stream') === true,
      tools: holdsItems(bytes, scan, 'tools'),
      images,
      documents: holdsAny(bytes, documentMarks),
      jsonSchema: wantsSchema(protocol, bytes, scan),
      // Every protocol can leave reasoning out, so no target is passed over for it.
      thinking: false,
      estimatedInputTokens: Math.ceil((bytes.length - scan.base64Bytes) / bytesPerToken) + (images ? tokensPerImage : 0),
      maxOutputTokens: asNumber(fieldValue(bytes, scan, 'max_tokens')) ?? asNumber(fieldValue(bytes, scan, 'max_completion_tokens')),
    },
  };
}

function holdsAny(bytes: Buffer, marks: readonly Buffer[]): boolean {
  return marks.some(mark => bytes.includes(mark));
}

/** Whether a field is an array that is not empty. */
function holdsItems(bytes: Buffer, scan: ObjectScan, name: string): boolean {
  const range = scan.fields.get(name);
  if (range === undefined) return false;
  return range.end - range.start > 2 && bytes.toString('latin1', range.start, Math.min(range.end, range.start + 64)).replace(/\s/g, '').length > 2 && bytes[range.start] === 0x5b;
}

function wantsSchema(protocol: ProtocolName, bytes: Buffer, scan: ObjectScan): boolean {
  const field = protocol === 'anthropic-messages' ? 'output_config' : 'response_format';
  const range = scan.fields.get(field);
  return range !== undefined && bytes.toString('latin1', range.start, range.end).includes('json_schema');
}
