import type { PlannedTarget } from '../api/receipt.ts';
import type { KeyMaterial } from '../api/messages.ts';
import { fieldValue, scanObject, spliceFields, type FieldEdit } from '../base/objectScan.ts';
import { isObject, parseJson } from '../base/json.ts';
import { chatPath } from '../catalog/paths.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { ProtocolCodec } from '../protocols/codec.ts';
import { bodyWithoutReasoning, withoutReasoning } from '../protocols/stripReasoning.ts';
import { authHeader } from '../upstream/authHeader.ts';
import type { UpstreamRequest } from '../upstream/transport.ts';
import type { ExchangeInput } from './input.ts';

/** What goes to a provider for one attempt. */
export interface Outgoing {
  request: UpstreamRequest;
  /** The caller's own bytes go through: answers of the provider are passed on as they are. */
  passThrough: boolean;
  /** A usage chunk was asked for that the caller did not ask for: it is kept from the caller. */
  hideUsage: boolean;
}

const fallbackMaxOutputTokens = 8192;

/**
 * Builds the request of one attempt: the caller's bytes with the model name changed where the protocols are the
 * same, else a translation.
 * @throws RequestFormatError when the caller's body cannot be understood
 */
export function buildOutgoing(
  input: ExchangeInput, target: PlannedTarget, endpoint: EndpointConfig, codec: ProtocolCodec, key: KeyMaterial | undefined,
  maxOutputTokens: number | undefined, stripReasoning: boolean,
): Outgoing {
  const passThrough = input.raw !== undefined && input.protocol === endpoint.protocol;
  const edited = passThrough ? spliceModel(stripReasoning ? strippedRaw(input) : input, target, endpoint) : undefined;
  const body = edited?.pieces ?? [Buffer.from(JSON.stringify(codec.encodeRequest(stripReasoning ? withoutReasoning(input.conversation()) : input.conversation(), {
    model: target.upstreamModel,
    stream: input.stream,
    defaultMaxOutputTokens: maxOutputTokens ?? fallbackMaxOutputTokens,
    dialect: endpoint.provider.dialect,
    origin: originOf(endpoint, target),
  })))];
  return {
    request: {
      method: 'POST',
      url: endpoint.baseUrl + chatPath(endpoint.protocol, endpoint.baseUrl, target.upstreamModel, input.stream),
      headers: requestHeaders(endpoint, key, input.stream, passThrough ? input.protocolHeaders : {}, body),
      body,
    },
    passThrough,
    hideUsage: edited?.hideUsage ?? false,
  };
}

/** Whose opaque reasoning a target understands. */
export function originOf(endpoint: EndpointConfig, target: PlannedTarget): string {
  return `${endpoint.provider.id}/${target.upstreamModel}`;
}

/** The caller's body without reasoning another provider made. */
function strippedRaw(input: ExchangeInput): ExchangeInput {
  if (input.raw === undefined || input.protocol === 'editor') return input;
  const body = parseJson(input.raw.bytes.toString('utf8'));
  if (!isObject(body)) return input;
  const bytes = Buffer.from(JSON.stringify(bodyWithoutReasoning(input.protocol, body)));
  const scan = scanObject(bytes);
  return scan === undefined ? input : { ...input, raw: { bytes, scan } };
}

function spliceModel(input: ExchangeInput, target: PlannedTarget, endpoint: EndpointConfig): { pieces: Buffer[]; hideUsage: boolean } {
  const raw = input.raw;
  if (raw === undefined) return { pieces: [], hideUsage: false };
  const edits: FieldEdit[] = [{ name: 'model', json: JSON.stringify(target.upstreamModel) }];
  let hideUsage = false;
  if (input.protocol === 'openai-chat' && input.stream && !input.includeUsage && endpoint.provider.dialect.streamUsageOption !== false) {
    const options = fieldValue(raw.bytes, raw.scan, 'stream_options');
    edits.push({ name: 'stream_options', json: JSON.stringify({ ...(isObject(options) ? options : {}), include_usage: true }) });
    hideUsage = true;
  }
  return { pieces: spliceFields(raw.bytes, raw.scan, edits), hideUsage };
}

function requestHeaders(
  endpoint: EndpointConfig, key: KeyMaterial | undefined, stream: boolean, protocolHeaders: Readonly<Record<string, string>>,
  body: readonly Buffer[],
): Record<string, string> {
  let length = 0;
  for (const piece of body) length += piece.length;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'content-length': String(length),
    accept: stream ? 'text/event-stream' : 'application/json',
    'user-agent': 'switchyard',
    ...(endpoint.protocol === 'anthropic-messages' ? { 'anthropic-version': endpoint.provider.dialect.anthropicVersion ?? '2023-06-01' } : {}),
    ...protocolHeaders,
    ...endpoint.headers,
  };
  return Object.assign(headers, authHeader(endpoint.provider.auth, key));
}
