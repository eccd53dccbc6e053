import type { ContentPart, DocumentPart, ImagePart, MediaSource, Message, TextPart, ThinkingPart, ToolResultPart } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { RequestFormatError } from '../codec.ts';
import { arrayField, objectField, requiredString, stringField } from '../fields.ts';
import { camelCasedOrEmpty, requiredCamelCased } from './fields.ts';
import { leftOut } from '../media.ts';
import { OpenCalls } from '../openCalls.ts';

/** Google's documented placeholder for the signature of a call that its model did not make. */
export const standInSignature = 'skip_thought_signature_validator';

interface Reading {
  messages: Message[];
  /** Calls whose result has not been seen yet, in order: results may come without an id and are matched by name. */
  open: OpenCalls;
  callCount: number;
}

/**
 * Reads the contents of a request. Calls without an id get one from their place, so that the same history always
 * gives the same ids; a signature becomes a piece of reasoning before the part it was on.
 * @throws RequestFormatError
 */
export function readContents(contents: JsonValue | undefined): Message[] {
  if (contents === undefined || contents === null) throw new RequestFormatError('contents', 'is required');
  const list = Array.isArray(contents) ? contents : [contents];
  const reading: Reading = { messages: [], open: new OpenCalls(), callCount: 0 };
  for (const [index, entry] of list.entries()) readContent(entry, `contents[${index}]`, reading);
  return reading.messages;
}

/** @throws RequestFormatError */
export function readSystemInstruction(instruction: JsonValue | undefined): TextPart[] {
  if (instruction === undefined || instruction === null) return [];
  const reading: Reading = { messages: [], open: new OpenCalls(), callCount: 0 };
  readContent(instruction, 'systemInstruction', reading);
  return reading.messages.flatMap((message) => message.content).filter((part): part is TextPart => part.type === 'text');
}

function readContent(entry: JsonValue, path: string, reading: Reading): void {
  if (typeof entry === 'string') {
    reading.messages.push({ role: 'user', content: [{ type: 'text', text: entry }] });
    return;
  }
  const content = requiredCamelCased(entry, path);
  const role = roles.get(asString(content.role) ?? 'user');
  if (role === undefined) throw new RequestFormatError(`${path}.role`, 'must be user or model');
  // A single part is accepted in place of the list.
  const parts = isObject(content.parts) ? [content.parts] : arrayField(content, 'parts', `${path}.parts`) ?? [];
  const read = parts.flatMap((part, index) => (typeof part === 'string' ? [{ type: 'text' as const, text: part }] : readPart(requiredCamelCased(part, `${path}.parts[${index}]`), `${path}.parts[${index}]`, reading)));
  reading.messages.push({ role, content: role === 'system' ? read.filter((part) => part.type === 'text') : read });
}

const roles: ReadonlyMap<string, Message['role']> = new Map<string, Message['role']>([
  ['user', 'user'], ['function', 'user'], ['tool', 'user'], ['model', 'assistant'], ['assistant', 'assistant'], ['system', 'system'],
]);

function readPart(part: JsonObject, path: string, reading: Reading): ContentPart[] {
  const own = stringField(part, 'thoughtSignature', `${path}.thoughtSignature`);
  const signature = own === undefined || own === '' || own === standInSignature ? undefined : own;
  if (part.thought === true && typeof part.text === 'string') {
    return [signature === undefined ? { type: 'thinking', text: part.text } : { type: 'thinking', text: part.text, signature, origin: 'gemini' }];
  }
  if (isObject(part.functionCall)) return [readCall(part.functionCall, `${path}.functionCall`, signature, reading)];
  if (isObject(part.functionResponse)) return [readResult(part.functionResponse, `${path}.functionResponse`, reading)];
  const content = readPlainPart(part, path);
  if (signature === undefined) return content === undefined ? [] : [content];
  const signed: ThinkingPart = { type: 'thinking', text: '', signature, origin: 'gemini' };
  return content === undefined || (content.type === 'text' && content.text === '') ? [signed] : [signed, content];
}

function readPlainPart(part: JsonObject, path: string): TextPart | ImagePart | DocumentPart | undefined {
  if (part.text !== undefined) return { type: 'text', text: stringField(part, 'text', `${path}.text`) ?? '' };
  if (part.inlineData !== undefined || part.fileData !== undefined) return readMedia(part, path);
  const { executableCode, codeExecutionResult } = part;
  if (isObject(executableCode)) return { type: 'text', text: `[Code that was run:]\n${asString(executableCode.code) ?? ''}` };
  if (isObject(codeExecutionResult)) return { type: 'text', text: `[Its output:]\n${asString(codeExecutionResult.output) ?? ''}` };
  const kind = Object.keys(part).find((key) => isObject(part[key]) && key !== 'partMetadata' && key !== 'videoMetadata');
  return kind === undefined ? undefined : leftOut(`Content of type "${kind}"`);
}

/** `inlineData` or `fileData`, as an image or a document. */
function readMedia(part: JsonObject, path: string): ImagePart | DocumentPart {
  if (part.inlineData !== undefined) {
    const blob = requiredCamelCased(part.inlineData, `${path}.inlineData`);
    const data = requiredString(blob, 'data', `${path}.inlineData.data`);
    return mediaPart(asString(blob.mimeType) ?? 'application/octet-stream', { kind: 'base64', data: standardBase64(data) }, asString(blob.displayName));
  }
  const file = requiredCamelCased(part.fileData, `${path}.fileData`);
  const uri = requiredString(file, 'fileUri', `${path}.fileData.fileUri`);
  const isStored = uri.startsWith('gs://') || !/^https?:/.test(uri) || /\/\/generativelanguage\.googleapis\.com\//.test(uri);
  return mediaPart(asString(file.mimeType) ?? 'application/octet-stream', isStored ? { kind: 'file', fileId: uri } : { kind: 'url', url: uri }, asString(file.displayName));
}

function mediaPart(mimeType: string, source: MediaSource, filename: string | undefined): ImagePart | DocumentPart {
  return mimeType.startsWith('image/') ? { type: 'image', mimeType, source } : { type: 'document', mimeType, source, filename };
}

/** Bytes in Google's JSON may use the URL-safe alphabet, which other providers refuse. */
function standardBase64(data: string): string {
  return /[-_]/.test(data) ? data.replaceAll('-', '+').replaceAll('_', '/') : data;
}

function readCall(entry: JsonObject, path: string, signature: string | undefined, reading: Reading): ContentPart {
  const name = requiredString(entry, 'name', `${path}.name`);
  const args = objectField(entry, 'args', `${path}.args`);
  const id = nonEmpty(stringField(entry, 'id', `${path}.id`)) ?? `call_${reading.callCount}`;
  reading.callCount += 1;
  reading.open.add({ id, name });
  return {
    type: 'tool-call', id, name,
    arguments: args === undefined ? '' : JSON.stringify(args),
    ...(signature === undefined ? {} : { signature, origin: 'gemini' }),
  };
}

function readResult(entry: JsonObject, path: string, reading: Reading): ToolResultPart {
  const name = nonEmpty(stringField(entry, 'name', `${path}.name`));
  const id = nonEmpty(stringField(entry, 'id', `${path}.id`));
  const call = reading.open.take(id, name);
  const response = objectField(entry, 'response', `${path}.response`) ?? {};
  // Some tools always have the field, and leave it empty when all went well.
  const hasFailed = response.error !== undefined && response.error !== null && response.error !== false && response.error !== '';
  const text = textOfResult(response);
  const media = (arrayField(entry, 'parts', `${path}.parts`) ?? []).map((part, index) => readMediaOfResult(camelCasedOrEmpty(part), `${path}.parts[${index}]`));
  return {
    type: 'tool-result',
    callId: call?.id ?? id ?? `call_${reading.callCount}`,
    name: call?.name ?? name,
    content: text === '' && media.length > 0 ? media : [{ type: 'text', text }, ...media],
    ...(hasFailed ? { isError: true } : {}),
  };
}

function readMediaOfResult(part: JsonObject, path: string): ImagePart | DocumentPart | TextPart {
  return part.inlineData !== undefined || part.fileData !== undefined ? readMedia(part, path) : { type: 'text', text: asString(part.text) ?? '' };
}

/** A result that is one text, under one of the usual names, is that text; any other is JSON. */
function textOfResult(response: JsonObject): string {
  const entries = Object.entries(response).filter(([, value]) => value !== undefined);
  const [only] = entries;
  if (only === undefined) return '';
  if (entries.length === 1 && plainResults.has(only[0])) return typeof only[1] === 'string' ? only[1] : JSON.stringify(only[1]);
  return JSON.stringify(response);
}

const plainResults: ReadonlySet<string> = new Set(['output', 'error', 'result', 'content', 'text']);

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
