import type { ConversationRequest } from '../../api/conversation.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import type { FieldEdit } from '../../base/objectScan.ts';
import type { JsonObject } from '../../base/json.ts';
import { wireModelName } from '../../catalog/paths.ts';
import type { Provider } from '../../catalog/provider.ts';
import type { EndpointConfig } from '../../config/config.ts';
import { defaultAnthropicVersion, versionHeader } from '../../protocols/anthropicMessages/version.ts';
import { encodeConverseRequest, type ConverseBody } from '../../protocols/bedrockConverse/requestEncode.ts';
import { betaHeader, betaNames, repairHeaders } from '../../protocols/repairs/applyRepairs.ts';
import type { Repair } from '../../protocols/repairs/repair.ts';

/*
 * Bodies of clouds that have the model in the path: Anthropic's Messages there, and Converse of Amazon Bedrock.
 */

/** Many models behind Converse refuse a larger limit. */
const fallbackConverseTokens = 4096;

/** The name that the body holds, by which the rules of the model are found. An ARN stands in the path only, and may tell nothing. */
export function modelInBody(endpoint: EndpointConfig, { model, upstreamModel }: PlannedTarget): string {
  return upstreamModel.startsWith('arn:') ? model : wireModelName(endpoint, upstreamModel);
}

/** The body for a model of Amazon Bedrock that is not Claude. */
export function converseBody(endpoint: EndpointConfig, target: PlannedTarget, request: ConversationRequest, stream: boolean, maxOutputTokens: number | undefined): ConverseBody {
  return encodeConverseRequest(request, {
    model: modelInBody(endpoint, target), stream, defaultMaxOutputTokens: maxOutputTokens ?? fallbackConverseTokens, dialect: endpoint.provider.dialect, origin: '',
  });
}

/** A Messages body as the endpoint takes it: the model is in the path and the version in the body; at Amazon Bedrock, whether it streams is in the path too. */
export function placed({ provider, protocol }: EndpointConfig, body: JsonObject): JsonObject {
  const oldest = provider.anthropicVersionInBody;
  if (oldest === undefined || protocol !== 'anthropic-messages') return body;
  const { model: _model, ...rest } = body;
  if (provider.betasInBody === undefined) return { ...rest, anthropic_version: versionInBody(oldest, provider.dialect.anthropicVersion) };
  // Amazon Bedrock has versions of its own.
  delete rest.stream;
  return { ...rest, anthropic_version: oldest };
}

/**
 * The same for a caller's bytes.
 * @param headers the caller's of its protocol
 * @param changes takes what is left out, in words
 */
export function placedEdits({ betasInBody, dialect }: Provider, headers: Readonly<Record<string, string>>, repairs: readonly Repair[] | undefined, oldest: string, changes: string[]): FieldEdit[] {
  const model: FieldEdit = { name: 'model', json: undefined };
  if (betasInBody === undefined) return [model, { name: 'anthropic_version', json: JSON.stringify(versionInBody(oldest, headers[versionHeader] ?? dialect.anthropicVersion)) }];
  const edits: FieldEdit[] = [model, { name: 'stream', json: undefined }, { name: 'anthropic_version', json: JSON.stringify(oldest) }];
  const asked = headers[betaHeader];
  if (asked === undefined) return edits;
  const sent = withKnownBetas(headers, betasInBody);
  if (betaNames(sent[betaHeader] ?? '').length < betaNames(asked).length) changes.push('names in anthropic-beta that Amazon Bedrock does not know were left out');
  if (repairs !== undefined) repairHeaders(sent, repairs, []);
  if (sent[betaHeader] !== undefined) edits.push({ name: 'anthropic_beta', json: JSON.stringify(betaNames(sent[betaHeader])) });
  return edits;
}

/** A caller's headers with those names of betas that the provider knows. */
export function withKnownBetas(headers: Readonly<Record<string, string>>, known: readonly string[]): Record<string, string> {
  const { [betaHeader]: asked, ...rest } = headers;
  const names = betaNames(asked ?? '').filter(name => known.includes(name));
  return names.length === 0 ? rest : { ...rest, [betaHeader]: names.join(',') };
}

function versionInBody(oldest: string, wanted: string | undefined): string {
  return wanted === undefined || wanted === defaultAnthropicVersion ? oldest : wanted;
}
