import { said } from '../api/localization/said.ts';
import type { Provider } from './provider.ts';
import { googleErrorRules, openAiDialect, openAiProtocolRules, openAiSources } from './vendors.ts';

/*
 * The clouds that give each customer an address of their own: the address is made of the customer's names there. Sources: the
 * vendors' client libraries and API references, as collected in November 2026.
 */

const vertexModels = '/v1/projects/{project}/locations/{location}/publishers';

/**
 * Gemini and Claude models of Vertex AI (also named Gemini Enterprise Agent Platform). The location chooses the host; a
 * project that is not named is the one of the credential.
 */
export const vertex: Provider = {
  id: 'vertex',
  aliases: ['vertex-ai', 'vertexai', 'google-vertex'],
  name: 'Google Vertex AI',
  description: said('Gemini and Claude models in your Google Cloud project; a service account, or the login of this machine'),
  protocol: 'gemini',
  baseUrls: {
    'gemini': 'https://aiplatform.googleapis.com',
    'anthropic-messages': 'https://aiplatform.googleapis.com',
    'openai-chat': 'https://aiplatform.googleapis.com',
  },
  // Every other location may be written as well.
  regions: [
    { id: 'global', name: 'Global', baseUrl: 'https://aiplatform.googleapis.com' },
    { id: 'us', name: 'United States (multi-region)', baseUrl: 'https://aiplatform.us.rep.googleapis.com' },
    { id: 'eu', name: 'European Union (multi-region)', baseUrl: 'https://aiplatform.eu.rep.googleapis.com' },
    { id: 'us-central1', name: 'Iowa', baseUrl: 'https://us-central1-aiplatform.googleapis.com' },
    { id: 'us-east5', name: 'Columbus', baseUrl: 'https://us-east5-aiplatform.googleapis.com' },
    { id: 'europe-west1', name: 'Belgium', baseUrl: 'https://europe-west1-aiplatform.googleapis.com' },
    { id: 'europe-west4', name: 'Netherlands', baseUrl: 'https://europe-west4-aiplatform.googleapis.com' },
    { id: 'asia-southeast1', name: 'Singapore', baseUrl: 'https://asia-southeast1-aiplatform.googleapis.com' },
  ],
  addressing: 'vertex',
  auth: 'google-oauth',
  // Without a key the login of this machine is used (application default credentials).
  keyRequired: false,
  keyHint: '{"type":"service_account",…}',
  keyPattern: '^(?:\\{|AQ\\.|AIza)',
  keyUrl: 'https://console.cloud.google.com/iam-admin/serviceaccounts',
  billingUrl: 'https://console.cloud.google.com/billing',
  probe: { method: 'GET', path: '/v1beta1/publishers/google/models?pageSize=1', provesKey: true },
  modelsPath: '/v1beta1/publishers/google/models?pageSize=200',
  protocolRules: [{ protocol: 'anthropic-messages', models: /^claude-/, when: 'always' }],
  callPaths: {
    'gemini': { plain: `${vertexModels}/google/models/{model}:generateContent`, stream: `${vertexModels}/google/models/{model}:streamGenerateContent?alt=sse` },
    'anthropic-messages': { plain: `${vertexModels}/anthropic/models/{model}:rawPredict`, stream: `${vertexModels}/anthropic/models/{model}:streamRawPredict` },
    'openai-chat': { plain: '/v1/projects/{project}/locations/{location}/endpoints/openapi/chat/completions' },
  },
  modelPrefix: { 'openai-chat': 'google/' },
  anthropicVersionInBody: 'vertex-2023-10-16',
  pricesId: 'google',
  modelSpelling: 'claude-dashes',
  dialect: { maxTokensField: 'max_tokens' },
  sources: [
    { of: ['address', 'keys', 'models', 'errors'], url: 'https://www.npmjs.com/package/@google/genai/v/3.1.0', read: '2026-11-20' },
    { of: ['maxTokensField'], url: 'https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai', read: '2026-11-20', secondary: true },
  ],
  errorRules: googleErrorRules,
};

/**
 * OpenAI models of an Azure resource. Models are known by the names of their deployments, which the resource's model
 * list does not tell. With an `apiVersion` the dated form of the address is used, else the version-less one.
 */
export const azure: Provider = {
  id: 'azure',
  aliases: ['azure-openai'],
  name: 'Azure OpenAI',
  description: said('OpenAI models in your Azure resource; a model is named as its deployment'),
  protocol: 'openai-chat',
  baseUrls: {},
  baseUrlExample: 'https://my-resource.openai.azure.com/openai/v1',
  addressing: 'azure',
  auth: 'api-key',
  keyRequired: true,
  keyUrl: 'https://portal.azure.com',
  billingUrl: 'https://portal.azure.com',
  probe: { method: 'GET', path: '/models', provesKey: true },
  protocolRules: openAiProtocolRules,
  versionedPaths: {
    calls: { 'openai-chat': { plain: '/openai/deployments/{model}/chat/completions?api-version={apiVersion}' } },
    probe: '/openai/models?api-version={apiVersion}',
  },
  pricesId: 'azure',
  // Deployments are billed by region and kind, and some are paid by the hour.
  pricesVary: true,
  modelSpelling: 'dots',
  dialect: openAiDialect,
  sources: openAiSources,
  errorRules: [
    // A deployment whose kind of contract or region has no room.
    { status: 503, failureClass: 'overloaded' },
    { code: 'ResponsibleAIPolicyViolation', failureClass: 'content-policy' },
  ],
  undocumented: ['which documents it reads: as remembered, not read again'],
};
