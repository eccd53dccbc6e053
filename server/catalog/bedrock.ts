import { said } from '../api/localization/said.ts';
import type { ErrorRule, Provider } from './provider.ts';

/*
 * Amazon Bedrock. Sources: the Bedrock API reference and user guide, the model definitions of AWS's client libraries
 * (bedrock-runtime 2023-09-30), and public reports of its refusals. Read 2026-11-27.
 */

/** Refusals have the name of their exception in a header, and in streams beside the event; it is the code here. */
const errorRules: readonly ErrorRule[] = [
  // Quotas are counted by model.
  { code: 'ThrottlingException', failureClass: 'rate-limit', scope: 'key-model' },
  { code: 'ServiceQuotaExceededException', failureClass: 'rate-limit' },
  { code: 'ModelNotReadyException', failureClass: 'overloaded' },
  { code: 'ServiceUnavailableException', failureClass: 'overloaded' },
  { code: 'ModelTimeoutException', failureClass: 'timeout' },
  { code: 'ModelErrorException', failureClass: 'server' },
  { code: 'ModelStreamErrorException', failureClass: 'server' },
  { code: 'InternalServerException', failureClass: 'server' },
  // The credential itself.
  { code: 'UnrecognizedClientException', failureClass: 'auth', scope: 'key' },
  { code: 'InvalidSignatureException', failureClass: 'auth', scope: 'key' },
  { code: 'SignatureDoesNotMatch', failureClass: 'auth', scope: 'key' },
  { code: 'IncompleteSignatureException', failureClass: 'auth', scope: 'key' },
  { code: 'MissingAuthenticationTokenException', failureClass: 'auth', scope: 'key' },
  { code: 'InvalidClientTokenId', failureClass: 'auth', scope: 'key' },
  { code: 'ExpiredTokenException', failureClass: 'auth', scope: 'key' },
  { code: 'ExpiredToken', failureClass: 'auth', scope: 'key' },
  { message: 'make sure your api key is valid', failureClass: 'auth', scope: 'key' },
  { message: 'bearer token', failureClass: 'auth', scope: 'key' },
  { message: 'security token included in the request', failureClass: 'auth', scope: 'key' },
  // The account: its payment, its forms, its standing.
  { message: 'invalid_payment_instrument', failureClass: 'quota' },
  { message: 'aws marketplace subscription', failureClass: 'auth', scope: 'key-model' },
  { message: 'use case details have not been submitted', failureClass: 'auth', scope: 'key-model' },
  { status: 400, message: 'operation not allowed', failureClass: 'auth', scope: 'account' },
  { code: 'AccessDeniedException', failureClass: 'auth', scope: 'key-model' },
  // The model.
  { message: 'model identifier is invalid', failureClass: 'model-not-found' },
  { message: 'with on-demand throughput isn', failureClass: 'model-not-found' },
  { message: 'reached the end of its life', failureClass: 'model-not-found' },
  { code: 'ResourceNotFoundException', failureClass: 'model-not-found' },
  // The prompt.
  { message: 'input is too long for requested model', failureClass: 'context-overflow' },
  { message: 'too many input tokens', failureClass: 'context-overflow' },
  { message: 'blocked by a guardrail', failureClass: 'content-policy' },
  { message: 'content filters', failureClass: 'content-policy' },
];

const region = (id: string, name: string): { id: string; name: string; baseUrl: string } => ({ id, name, baseUrl: `https://bedrock-runtime.${id}.amazonaws.com` });

/**
 * Claude by its own Messages body (InvokeModel), every other model, and ARNs that name none, by Converse. Without a key the
 * credentials of this machine are used, as AWS's own tools find them.
 */
export const bedrock: Provider = {
  id: 'bedrock',
  aliases: ['amazon-bedrock', 'aws-bedrock', 'aws'],
  name: 'Amazon Bedrock',
  description: said('Claude, Nova, Llama, gpt-oss and others in your AWS account; a Bedrock API key, or the profile, role or SSO login of this machine'),
  protocol: 'anthropic-messages',
  baseUrls: { 'anthropic-messages': 'https://bedrock-runtime.us-east-1.amazonaws.com' },
  // Every other region may be written as well.
  regions: [
    region('us-east-1', 'N. Virginia'),
    region('us-east-2', 'Ohio'),
    region('us-west-2', 'Oregon'),
    region('ca-central-1', 'Canada'),
    region('eu-central-1', 'Frankfurt'),
    region('eu-west-1', 'Ireland'),
    region('eu-west-3', 'Paris'),
    region('eu-north-1', 'Stockholm'),
    region('ap-northeast-1', 'Tokyo'),
    region('ap-south-1', 'Mumbai'),
    region('ap-southeast-1', 'Singapore'),
    region('ap-southeast-2', 'Sydney'),
  ],
  addressing: 'bedrock',
  auth: 'aws',
  keyRequired: false,
  keyHint: 'ABSK…, or access key ID:secret access key',
  keyPattern: '^(?:ABSK|bedrock-api-key-|A[KS]IA[A-Z0-9]{12,}:|\\{|[A-Za-z0-9+/=_.-]{40,})',
  keyUrl: 'https://console.aws.amazon.com/bedrock/home#/api-keys',
  billingUrl: 'https://console.aws.amazon.com/billing/home',
  probe: { method: 'GET', path: '/foundation-models?byOutputModality=TEXT', provesKey: true },
  modelsPath: '/foundation-models?byOutputModality=TEXT',
  // Most newer models are asked through a profile of regions only, which the first list does not name.
  moreModelsPath: '/inference-profiles?maxResults=1000',
  callPaths: { 'anthropic-messages': { plain: '/model/{model}/invoke', stream: '/model/{model}/invoke-with-response-stream' } },
  conversePaths: { plain: '/model/{model}/converse', stream: '/model/{model}/converse-stream' },
  anthropicVersionInBody: 'bedrock-2023-05-31',
  // Names that AWS documents, and two more that were tried; any other is refused with "invalid beta flag".
  betasInBody: [
    'computer-use-2024-10-22', 'computer-use-2025-01-24', 'token-efficient-tools-2025-02-19', 'interleaved-thinking-2025-05-14',
    'output-128k-2025-02-19', 'dev-full-thinking-2025-05-14', 'context-1m-2025-08-07', 'context-management-2025-06-27',
    'effort-2025-11-24', 'tool-search-tool-2025-10-19', 'tool-examples-2025-10-29', 'fine-grained-tool-streaming-2025-05-14',
    'claude-code-20250219', 'structured-outputs-2025-12-15',
  ],
  pricesId: 'aws',
  // Claude costs the same in every region, but for the surcharge of profiles that keep to one part of the world.
  pricesVaryFor: /^(?!.*claude)/,
  modelSpelling: 'claude-dashes',
  // Keys of one account share the quotas of each model and region.
  sharedLimits: true,
  dialect: { bytesAndOwnToolsOnly: true, dropFields: ['service_tier', 'inference_geo', 'speed'] },
  sources: [
    { of: ['address', 'keys', 'models', 'errors', 'dropFields'], url: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/welcome.html', read: '2026-11-27', secondary: true },
    { of: ['bytesAndOwnToolsOnly'], url: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html', read: '2026-11-27', secondary: true },
  ],
  errorRules,
};
