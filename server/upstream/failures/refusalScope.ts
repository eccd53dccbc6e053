import type { ProviderErrorBody } from '../../api/conversation.ts';
import type { FailureClass, RefusalScope } from '../../api/failure.ts';

/** A code (or type) as it is written, or a part of the message in lower case. */
type Wording = { readonly code: string } | { readonly message: string };

/**
 * Refusals that speak of the right to a model. Another key may have it, and this key has that to others.
 * Sources: LiteLLM (winfunc/opcode#358, BerriAI/litellm#39660), One API and New API (labring/FastGPT#2537,
 * CherryHQ/cherry-studio#8100), OpenAI's error reference (a project without the model, and keys restricted to some calls),
 * Alibaba (QwenLM/qwen-code#9605), gateways (truefoundry/models#949). Read 2026-11-27.
 */
const modelRight: readonly Wording[] = [
  { code: 'key_model_access_denied' },
  { code: 'team_model_access_denied' },
  { code: 'project_model_access_denied' },
  { code: 'user_model_access_denied' },
  { message: 'not allowed to access model' },
  { message: 'not authorized to access model' },
  { message: 'no access to model' },
  { message: 'no access to the model' },
  { message: 'not have access to model' },
  { message: 'not have access to the model' },
  { message: 'not have access to this model' },
  { message: 'not have access to it' },
  { message: 'have access to this model' },
  { message: 'access to model denied' },
  { message: 'not permitted to use model' },
  { message: 'not allowed to use model' },
  { message: 'missing scopes' },
  { message: '无权使用模型' },
  { message: '无权访问模型' },
];

/**
 * Refusals for the country or region of the caller. Sources: OpenAI (home-assistant/core#120072), Google's API reference,
 * Anthropic on Bedrock (aws-samples/generative-bi-using-rag#361), anomalyco/opencode#8796. Read 2026-11-27.
 */
const region: readonly Wording[] = [
  { code: 'unsupported_country_region_territory' },
  { code: 'unsupported_country' },
  { code: 'RegionError' },
  { message: 'country, region, or territory not supported' },
  { message: 'location is not supported' },
  { message: 'unsupported countries' },
  { message: 'not available in your country' },
  { message: 'not available in your region' },
  { message: 'not supported in your country' },
  { message: 'not supported in your region' },
];

/** Refusals of the whole account. Sources: the error references of OpenAI and Anthropic. */
const account: readonly Wording[] = [
  { code: 'organization_on_hold' },
  { code: 'account_deactivated' },
  { message: 'organization has been disabled' },
  { message: 'account has been deactivated' },
  { message: 'account associated with this api key has been deactivated' },
];

/** Refusals of the key itself, also where they come with a status that may mean a lack of rights. Sources: the providers' error references. */
const wholeKey: readonly Wording[] = [
  { code: 'invalid_api_key' },
  { code: 'API_KEY_INVALID' },
  { code: 'incorrect_api_key_error' },
  { code: 'authentication_error' },
  { code: 'invalid_authentication_error' },
  { code: 'UNAUTHENTICATED' },
  { code: 'API_KEY_HTTP_REFERRER_BLOCKED' },
  { code: 'API_KEY_IP_ADDRESS_BLOCKED' },
  { code: 'API_KEY_SERVICE_BLOCKED' },
  { code: 'SERVICE_DISABLED' },
  { code: 'CONSUMER_SUSPENDED' },
  { message: 'incorrect api key' },
  { message: 'invalid api key' },
  { message: 'api key not valid' },
  { message: 'invalid x-api-key' },
  { message: 'invalid token' },
  { message: 'invalid key' },
  { message: 'key is disabled' },
  { message: 'key has been disabled' },
  { message: 'key has expired' },
  { message: 'key expired' },
  { message: 'key has been revoked' },
  { message: 'token has expired' },
  { message: 'token is expired' },
  { message: 'reported as leaked' },
  { message: '令牌已过期' },
  { message: '无效的令牌' },
];

/** A refusal with its status and the names of the model that was asked for; no names where none was. */
export interface Refusal { readonly error: ProviderErrorBody; readonly status: number; readonly models: readonly string[] }

/** Whether a refusal is for the country or region of the caller, whatever its status. */
export function isRegional({ error }: Pick<Refusal, 'error'>): boolean {
  return speaksOf(region, error);
}

/** Whether a refusal says that the key has no right to the model, whatever its status. */
export function deniesModel({ error }: Pick<Refusal, 'error'>): boolean {
  return speaksOf(modelRight, error);
}

/** What a refusal speaks of; undefined for failures that are none. */
export function refusalScope(failureClass: FailureClass, refusal: Refusal): RefusalScope | undefined {
  const { error } = refusal;
  switch (failureClass) {
    case 'auth': return authScope(refusal);
    case 'quota': return 'account';
    case 'model-not-found': return speaksOf(modelRight, error) ? 'key-model' : 'model';
    default: return undefined;
  }
}

function authScope(refusal: Refusal): RefusalScope {
  const { error, status, models } = refusal;
  if (isRegional(refusal)) return /\bmodels?\b/i.test(error.message) ? 'model' : 'endpoint';
  if (speaksOf(modelRight, error)) return 'key-model';
  if (speaksOf(account, error)) return 'account';
  const message = error.message.toLowerCase();
  const namesModel = models.some(model => model !== '' && message.includes(model.toLowerCase()));
  if (namesModel && (status === 401 || status === 403)) return 'key-model';
  if (speaksOf(wholeKey, error)) return 'key';
  // What is forbidden to the key is what was asked for; that the key is none at all is said with 401.
  return status === 403 || isPermission(error) ? 'key-model' : 'key';
}

function isPermission({ type, code }: ProviderErrorBody): boolean {
  return [type, code].some(word => word === 'permission_error' || word === 'PERMISSION_DENIED' || word === 'permission_denied_error');
}

function speaksOf(wordings: readonly Wording[], { type, code, message }: ProviderErrorBody): boolean {
  const text = message.toLowerCase();
  return wordings.some(one => ('code' in one ? one.code === code || one.code === type : text.includes(one.message)));
}
