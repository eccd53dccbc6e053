import type { CacheBreakpoint, ContentPart, DocumentPart, ImagePart, ThinkingPart, ToolResultPart } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { RequestFormatError } from '../codec.ts';
import { referencedNames, referenceText } from './deferredTools.ts';
import { booleanField, requiredObject, requiredString, stringField } from '../fields.ts';
import { leftOut } from '../media.ts';

/**
 * Reads the content of a message, a system prompt or a tool result: a string, or blocks.
 * @throws RequestFormatError
 */
export function decodeBlocks(content: JsonValue | undefined, path: string): ContentPart[] {
  if (content === undefined || content === null || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw new RequestFormatError(path, 'must be a string or a list of blocks');
  return content.flatMap((entry, index) => {
    const part = decodeBlock(requiredObject(entry, `${path}[${index}]`), `${path}[${index}]`);
    return Array.isArray(part) ? part : [part];
  });
}

/** The breakpoint of `cache_control`, whose default life is five minutes. */
export function decodeCache(holder: JsonObject): CacheBreakpoint | undefined {
  if (!isObject(holder.cache_control)) return undefined;
  return holder.cache_control.ttl === '1h' ? '1h' : '5m';
}

function decodeBlock(block: JsonObject, path: string): ContentPart | ContentPart[] {
  const cache = decodeCache(block);
  switch (block.type) {
    case 'text':
      return { type: 'text', text: stringField(block, 'text', `${path}.text`) ?? '', cache };
    case 'image':
      return { ...decodeImage(requiredObject(block.source, `${path}.source`), `${path}.source`), cache };
    case 'document':
      return decodeDocument(block, path, cache);
    case 'search_result': {
      const heading = [asString(block.title), asString(block.source)].filter((entry) => entry !== undefined).join(' — ');
      const text = decodeBlocks(block.content, `${path}.content`).map((part) => (part.type === 'text' ? part.text : '')).join('\n');
      return { type: 'text', text: heading === '' ? text : `[${heading}]\n${text}`, cache };
    }
    case 'thinking':
      return decodeThinking(block, path);
    case 'redacted_thinking':
      return { type: 'thinking', text: '', redacted: requiredString(block, 'data', `${path}.data`), origin: 'anthropic-messages' };
    case 'tool_use':
      return {
        type: 'tool-call',
        id: requiredString(block, 'id', `${path}.id`),
        name: requiredString(block, 'name', `${path}.name`),
        arguments: block.input === undefined || block.input === null ? '' : typeof block.input === 'string' ? block.input : JSON.stringify(block.input),
        cache,
      };
    case 'tool_result':
      return {
        type: 'tool-result',
        callId: requiredString(block, 'tool_use_id', `${path}.tool_use_id`),
        content: decodeBlocks(block.content, `${path}.content`)
          .filter((part): part is ToolResultPart['content'][number] => part.type === 'text' || part.type === 'image' || part.type === 'document'),
        isError: booleanField(block, 'is_error', `${path}.is_error`),
        cache,
      };
    case 'tool_reference':
      return { type: 'text', text: referenceText([asString(block.tool_name) ?? '']), cache };
    case 'tool_search_tool_result':
      return { type: 'text', text: referenceText(referencedNames(block)), cache };
    default:
      return typeof block.text === 'string' ? { type: 'text', text: block.text, cache } : leftOut(`Content of type "${asString(block.type) ?? 'unknown'}"`);
  }
}

/** An empty signature comes from an answer of another protocol: no provider vouches for such reasoning. */
function decodeThinking(block: JsonObject, path: string): ThinkingPart {
  const text = stringField(block, 'thinking', `${path}.thinking`) ?? '';
  const signature = stringField(block, 'signature', `${path}.signature`);
  return signature === undefined || signature === '' ? { type: 'thinking', text } : { type: 'thinking', text, signature, origin: 'anthropic-messages' };
}

function decodeImage(source: JsonObject, path: string): ImagePart {
  switch (source.type) {
    case 'base64':
      return { type: 'image', mimeType: requiredString(source, 'media_type', `${path}.media_type`), source: { kind: 'base64', data: requiredString(source, 'data', `${path}.data`) } };
    case 'url':
      return { type: 'image', source: { kind: 'url', url: requiredString(source, 'url', `${path}.url`) } };
    case 'file':
      return { type: 'image', source: { kind: 'file', fileId: requiredString(source, 'file_id', `${path}.file_id`) } };
    default:
      throw new RequestFormatError(`${path}.type`, 'must be base64, url or file');
  }
}

function decodeDocument(block: JsonObject, path: string, cache: CacheBreakpoint | undefined): ContentPart | ContentPart[] {
  const sourcePath = `${path}.source`;
  const source = requiredObject(block.source, sourcePath);
  const filename = stringField(block, 'title', `${path}.title`);
  const document = (mimeType: string, where: DocumentPart['source']): DocumentPart => ({ type: 'document', mimeType, source: where, filename, cache });
  switch (source.type) {
    case 'base64':
      return document(asString(source.media_type) ?? 'application/pdf', { kind: 'base64', data: requiredString(source, 'data', `${sourcePath}.data`) });
    case 'text':
      return document('text/plain', { kind: 'base64', data: Buffer.from(stringField(source, 'data', `${sourcePath}.data`) ?? '', 'utf8').toString('base64') });
    case 'url':
      return document('application/pdf', { kind: 'url', url: requiredString(source, 'url', `${sourcePath}.url`) });
    case 'file':
      return document('application/pdf', { kind: 'file', fileId: requiredString(source, 'file_id', `${sourcePath}.file_id`) });
    case 'content':
      return decodeBlocks(source.content, `${sourcePath}.content`);
    default:
      throw new RequestFormatError(`${sourcePath}.type`, 'must be base64, text, url, file or content');
  }
}
