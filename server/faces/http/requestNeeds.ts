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

/** Words without which a body holds no image or document; found natively, and in most bodies not at all. */
const imageWord = Buffer.from('image');
const documentWords = ['document"', 'file"'].map(word => Buffer.from(word));
/** Media types as they stand in compact and in spaced JSON. */
const imageType = /: ?"(?:image|image_url|input_image)"/;
const documentType = /: ?"(?:document|file|input_file)"/;

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
  const images = bytes.includes(imageWord) && imageType.test(bytes.toString('latin1'));
  return {
    model,
    stream: fieldValue(bytes, scan, 'stream') === true,
    includeUsage: isObject(streamOptions) && streamOptions.include_usage === true,
    needs: {
      stream: fieldValue(bytes, scan, 'stream') === true,
      tools: holdsItems(bytes, scan, 'tools'),
      images,
      documents: documentWords.some(word => bytes.includes(word)) && documentType.test(bytes.toString('latin1')),
      jsonSchema: wantsSchema(protocol, bytes, scan),
      // Every protocol can leave reasoning out, so no target is passed over for it.
      thinking: false,
      estimatedInputTokens: Math.ceil((bytes.length - scan.base64Bytes) / bytesPerToken) + (images ? tokensPerImage : 0),
      maxOutputTokens: asNumber(fieldValue(bytes, scan, 'max_tokens')) ?? asNumber(fieldValue(bytes, scan, 'max_completion_tokens')),
    },
  };
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
