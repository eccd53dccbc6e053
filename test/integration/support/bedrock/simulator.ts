import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isObject, parseJson, type JsonObject } from '../../../../server/base/json.ts';
import { chunkFrame, eventFrame } from './frames.ts';
import { converseRefusal, invokeRefusal } from './refusals.ts';
import { refusalOf, type AwsRefusal, type KnownAccessKey } from './signature.ts';

export interface SeenCall { path: string; model: string; operation: string; body: JsonObject; text: string; authorization: string; headers: IncomingMessage['headers'] }

/** What a simulated model does with a request that is not refused. */
export interface Behaviour {
  /** Refuses it before the stream. */
  refuse?: AwsRefusal | undefined;
  /** Frames that are sent in place of the answer. */
  frames?: ((call: SeenCall) => Buffer[]) | undefined;
  /** The stream is cut in pieces of so many bytes. */
  pieceBytes?: number | undefined;
  /** A plain answer in place of the usual one. */
  plain?: JsonObject | undefined;
}

export interface BedrockSimulator {
  readonly url: string;
  readonly calls: SeenCall[];
  readonly apiKeys: Set<string>;
  readonly accessKeys: Map<string, KnownAccessKey>;
  /** What the next requests get, first come first served; then the usual answer. */
  readonly next: Behaviour[];
  usual: Behaviour;
  /** How far its clock is ahead, in milliseconds. */
  clockAheadMs: number;
  close(): Promise<void>;
}

const region = 'us-east-1';
const claude = 'anthropic.claude-sonnet-4-5-20250929-v1:0';

/** Models that can be asked by their own id, and profiles. */
const onDemand = new Set(['amazon.nova-pro-v1:0', 'openai.gpt-oss-120b-1:0', 'mistral.mistral-large-2402-v1:0', 'deepseek.r1-v1:0']);
const profiles = [`global.${claude}`, `us.${claude}`, 'us.meta.llama3-3-70b-instruct-v1:0'];
export const answerText = 'The sea is deep.';
export const usage = { input: 1200, output: 300, cacheRead: 4000, cacheWrite: 500 };

/** Amazon Bedrock: verifies who asks, refuses what the real one refuses, and streams in AWS's binary form. */
export async function startBedrock(): Promise<BedrockSimulator> {
  const calls: SeenCall[] = [];
  const simulator = { calls, apiKeys: new Set<string>(), accessKeys: new Map<string, KnownAccessKey>(), next: [] as Behaviour[], usual: {} as Behaviour, clockAheadMs: 0 };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => answer(simulator, request, Buffer.concat(pieces), response));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(simulator, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise<void>(resolve => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  });
}

type State = Omit<BedrockSimulator, 'url' | 'close'>;

function answer(simulator: State, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const url = request.url ?? '/';
  const now = Date.now() + simulator.clockAheadMs;
  response.setHeader('date', new Date(now).toUTCString());
  response.setHeader('x-amzn-requestid', '5f4c4bf2-0000-4000-8000-000000000000');
  const refuse = ({ status, type, message }: AwsRefusal): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/` }).end(JSON.stringify({ message }));
  };
  const authorization = String(request.headers.authorization ?? '');
  const denied = authorization.startsWith('Bearer ')
    ? simulator.apiKeys.has(authorization.slice(7)) ? undefined : { status: 403, type: 'AccessDeniedException', message: 'Authentication failed: Please make sure your API Key is valid.' }
    : refusalOf({ method: request.method ?? '', url, headers: request.headers, body }, simulator.accessKeys, { region, service: 'bedrock' }, now);
  if (denied !== undefined) return refuse(denied);
  const [path = ''] = url.split('?');
  if (request.method === 'GET' && path === '/foundation-models') return json(response, { modelSummaries: foundationModels() });
  if (request.method === 'GET' && path === '/inference-profiles') return json(response, { inferenceProfileSummaries: profiles.map(id => ({ inferenceProfileId: id, inferenceProfileName: id, status: 'ACTIVE', type: 'SYSTEM_DEFINED' })) });
  const match = /^\/model\/([^/]+)\/(invoke|invoke-with-response-stream|converse|converse-stream)$/.exec(path);
  if (request.method !== 'POST' || match === null) return refuse({ status: 404, type: 'UnknownOperationException', message: 'Unknown operation' });
  const model = decodeURIComponent(match[1] ?? '');
  const operation = match[2] ?? '';
  const parsed = parseJson(body.toString('utf8'));
  if (!isObject(parsed) || request.headers['content-type'] !== 'application/json' || request.headers.accept !== 'application/json') return refuse({ status: 400, type: 'ValidationException', message: 'The request body is not valid JSON.' });
  const call: SeenCall = { path, model, operation, body: parsed, text: body.toString('utf8'), authorization, headers: request.headers };
  simulator.calls.push(call);
  const behaviour = simulator.next.shift() ?? simulator.usual;
  const invalid = modelRefusal(model) ?? (operation.startsWith('invoke') ? (model.includes('claude') ? invokeRefusal(parsed) : 'Malformed input request: #: required key [prompt] not found, please reformat your input and try again.') : converseRefusal(parsed, model, operation === 'converse-stream'));
  if (invalid !== undefined) return refuse({ status: 400, type: 'ValidationException', message: invalid });
  if (behaviour.refuse !== undefined) return refuse(behaviour.refuse);
  if (operation === 'invoke') return json(response, behaviour.plain ?? claudeAnswer());
  if (operation === 'converse') return json(response, behaviour.plain ?? converseAnswer());
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
  const bytes = Buffer.concat(behaviour.frames?.(call) ?? (operation === 'converse-stream' ? converseFrames() : claudeFrames()));
  const size = behaviour.pieceBytes ?? bytes.length;
  for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size));
  response.end();
}

function modelRefusal(model: string): string | undefined {
  if (onDemand.has(model) || profiles.includes(model) || model.startsWith('arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/')) return undefined;
  if (profiles.some(profile => profile.endsWith(`.${model}`))) return `Invocation of model ID ${model} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.`;
  return 'The provided model identifier is invalid.';
}

function json(response: ServerResponse, body: JsonObject): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function foundationModels(): JsonObject[] {
  return [
    { modelId: claude, modelName: 'Claude Sonnet 4.5', inputModalities: ['TEXT', 'IMAGE'], inferenceTypesSupported: ['INFERENCE_PROFILE'], responseStreamingSupported: true },
    ...[...onDemand].map(modelId => ({ modelId, modelName: modelId, inputModalities: ['TEXT'], inferenceTypesSupported: ['ON_DEMAND'], responseStreamingSupported: true })),
  ];
}

const claudeUsage = { input_tokens: usage.input, cache_creation_input_tokens: usage.cacheWrite, cache_read_input_tokens: usage.cacheRead, output_tokens: usage.output };

function claudeAnswer(): JsonObject {
  return { id: 'msg_bdrk_01', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5-20250929', content: [{ type: 'text', text: answerText }], stop_reason: 'end_turn', stop_sequence: null, usage: claudeUsage };
}

export function claudeFrames(): Buffer[] {
  return [
    ...claudeOpening(),
    chunkFrame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: answerText.slice(0, 8) } }),
    chunkFrame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: answerText.slice(8) } }),
    chunkFrame({ type: 'content_block_stop', index: 0 }),
    chunkFrame({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: usage.output } }),
    chunkFrame({ type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: usage.input, outputTokenCount: usage.output, invocationLatency: 900, firstByteLatency: 300 } }),
  ];
}

export function claudeOpening(): Buffer[] {
  return [
    chunkFrame({ type: 'message_start', message: { id: 'msg_bdrk_01', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5-20250929', content: [], stop_reason: null, stop_sequence: null, usage: { ...claudeUsage, output_tokens: 1 } } }),
    chunkFrame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  ];
}

const converseUsage = { inputTokens: usage.input, outputTokens: usage.output, totalTokens: usage.input + usage.output + usage.cacheRead + usage.cacheWrite, cacheReadInputTokens: usage.cacheRead, cacheWriteInputTokens: usage.cacheWrite };

function converseAnswer(): JsonObject {
  return { output: { message: { role: 'assistant', content: [{ text: answerText }] } }, stopReason: 'end_turn', usage: converseUsage, metrics: { latencyMs: 900 } };
}

export function converseFrames(): Buffer[] {
  return [
    eventFrame('messageStart', { role: 'assistant', p: 'abc' }),
    eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: answerText.slice(0, 8) }, p: 'abcdef' }),
    eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: answerText.slice(8) }, p: 'ab' }),
    eventFrame('contentBlockStop', { contentBlockIndex: 0 }),
    eventFrame('messageStop', { stopReason: 'end_turn' }),
    eventFrame('metadata', { usage: converseUsage, metrics: { latencyMs: 900 } }),
  ];
}
