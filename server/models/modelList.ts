import { tokenLimit } from '../base/figures.ts';
import { asString, isObject, parseJson } from '../base/json.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import { plausibleFacts, plausibleModels } from './listedFacts.ts';
import type { ListedFacts, ListedModel } from './listedFacts.ts';

/**
 * Reads a model list of any protocol: OpenAI and those compatible with it (`data[]` with `id`), Anthropic (the same, with
 * capabilities), Gemini and Vertex AI (`models[]`, `publisherModels[]`), Amazon Bedrock (`modelSummaries[]`, `inferenceProfileSummaries[]`), Ollama (`models[]` with `name`), or a bare
 * array. Models that cannot chat or are retired, by the list's own account, are left out. Undefined when the text is no list.
 * Sources: the types of the vendors' client libraries; vLLM, LM Studio and Moonshot by their documentation.
 */
export function parseModelList(text: string): ListedModel[] | undefined {
  const body = parseJson(text.trim());
  const list = Array.isArray(body) ? body : isObject(body) ? body.data ?? body.models ?? body.publisherModels ?? body.modelSummaries ?? profilesOf(body.inferenceProfileSummaries) : undefined;
  if (!Array.isArray(list)) return undefined;
  return plausibleModels(chatModels(list));
}

function* chatModels(list: readonly JsonValue[]): Generator<{ name: string | undefined; facts: ClaimedFacts }> {
  for (const item of list) if (!isObject(item) || canChat(item)) yield { name: nameOf(item), facts: isObject(item) ? factsOf(item) : {} };
}

/** Profiles that keep to a part of the world come first: of two profiles of one model, the first is asked where no one says which. */
function profilesOf(summaries: JsonValue | undefined): JsonValue[] | undefined {
  if (!Array.isArray(summaries)) return undefined;
  const isGlobal = (entry: JsonValue): boolean => isObject(entry) && asString(entry.inferenceProfileId)?.startsWith('global.') === true;
  const active = summaries.filter(entry => isObject(entry) && (entry.status === undefined || entry.status === 'ACTIVE'));
  return [...active.filter(entry => !isGlobal(entry)), ...active.filter(isGlobal)];
}

/** The facts of an entry under our names, not checked yet. */
type ClaimedFacts = { [Name in keyof ListedFacts]?: unknown };

function nameOf(item: JsonValue): string | undefined {
  const name = isObject(item) ? asString(item.id) ?? asString(item.modelId) ?? asString(item.inferenceProfileId) ?? asString(item.name) ?? asString(item.key) : asString(item);
  return name?.replace(/^(?:publishers\/[^/]+\/)?models\//, '');
}

/** Types of models that hold no conversation, as LM Studio and Together name them. */
const otherTypes: ReadonlySet<string> = new Set(['embeddings', 'embedding', 'image', 'audio', 'video', 'rerank', 'moderation', 'transcribe']);

function canChat(item: JsonObject): boolean {
  if (item.active === false || item.lifecycle === 'retired' || (typeof item.type === 'string' && otherTypes.has(item.type))) return false;
  // Amazon Bedrock: a model that cannot be asked by its own id is asked by a profile, which another list names.
  if (Array.isArray(item.inferenceTypesSupported) && !item.inferenceTypesSupported.includes('ON_DEMAND')) return false;
  if (Array.isArray(item.inputModalities) && !item.inputModalities.includes('TEXT')) return false;
  const methods = item.supportedGenerationMethods ?? (Array.isArray(item.supportedActions) ? item.supportedActions : undefined);
  if (Array.isArray(methods) && methods.length > 0 && !methods.includes('generateContent')) return false;
  const capabilities = isObject(item.capabilities) ? item.capabilities : {};
  return capabilities.completion_chat !== false;
}

function factsOf(item: JsonObject): ClaimedFacts {
  const capabilities = isObject(item.capabilities) ? item.capabilities : {};
  const topProvider = isObject(item.top_provider) ? item.top_provider : {};
  const architecture = isObject(item.architecture) ? item.architecture : {};
  const metadata = isObject(item.metadata) ? item.metadata : {};
  const tags = texts(metadata.tags);
  const parameters = texts(item.supported_parameters);
  const modalities = texts(architecture.input_modalities);
  // A local server runs a model with the context window it was loaded with, which may be smaller than the model's own.
  const contextWindow = firstCount(item.loaded_context_length, item.context_length, item.context_window, item.max_context_length, item.max_model_len, item.max_input_tokens, item.inputTokenLimit, metadata.context_length);
  const maxOutputTokens = firstCount(
    topProvider.max_completion_tokens, item.max_completion_tokens, item.max_output_tokens, item.max_output_length, item.outputTokenLimit,
    // Anthropic's name of the limit; other lists use the word for other things.
    item.type === 'model' ? item.max_tokens : undefined,
  );
  return {
    contextWindow,
    // Some lists repeat the context window here, which leaves no room for a prompt and so is no limit.
    maxOutputTokens: maxOutputTokens !== undefined && contextWindow !== undefined && maxOutputTokens >= contextWindow ? undefined : maxOutputTokens,
    tools: firstFlag(capabilities.function_calling, capabilities.trained_for_tool_use, capabilities.tools) ?? among(parameters, 'tools'),
    images: firstFlag(capabilities.vision, capabilities.image_input, item.supports_image_in) ?? among(modalities, 'image') ?? among(texts(item.inputModalities), 'IMAGE') ?? (item.type === 'vlm' || tags?.includes('vision') === true ? true : undefined),
    documents: firstFlag(capabilities.pdf_input),
    // A model that does not list it may still follow a schema, so its absence proves nothing.
    jsonSchema: firstFlag(capabilities.structured_outputs) ?? (parameters?.includes('structured_outputs') === true ? true : undefined),
    thinking: firstFlag(capabilities.reasoning, capabilities.thinking, item.supports_reasoning, item.thinking) ?? among(parameters, 'reasoning') ?? (tags?.includes('reasoning') === true ? true : undefined),
    prices: pricesOf(item.pricing) ?? pricesByMillion(metadata.pricing) ?? pricesByMillion(item.pricing),
  };
}

/** OpenRouter's prices: US dollars for one token, as text; negative where it chooses the model itself. */
function pricesOf(pricing: JsonValue | undefined): unknown {
  if (!isObject(pricing) || (pricing.prompt === undefined && pricing.completion === undefined)) return undefined;
  return {
    inputPerMTok: perMillion(pricing.prompt),
    outputPerMTok: perMillion(pricing.completion),
    cacheReadPerMTok: perMillion(pricing.input_cache_read),
    cacheWritePerMTok: perMillion(pricing.input_cache_write),
    // A fee of 0 is none.
    perRequestUsd: amount(pricing.request) || undefined,
    reasoningPerMTok: perMillion(pricing.internal_reasoning) || undefined,
  };
}

/** Prices of DeepInfra (`input_tokens`) and Together (`input`): US dollars for a million tokens. Together writes 0 where a model has no price by tokens. */
function pricesByMillion(pricing: JsonValue | undefined): unknown {
  if (!isObject(pricing)) return undefined;
  const input = amount(pricing.input_tokens) ?? (amount(pricing.input) || undefined);
  const output = amount(pricing.output_tokens) ?? (amount(pricing.output) || undefined);
  return input === undefined || output === undefined ? undefined : { inputPerMTok: input, outputPerMTok: output, cacheReadPerMTok: amount(pricing.cache_read_tokens) };
}

function perMillion(value: JsonValue | undefined): number | undefined {
  const usd = amount(value);
  // Rounded to what the ledger keeps, so that 0.0000003 is 0.3 and not 0.30000000000000004.
  return usd === undefined ? undefined : Math.round(usd * 1e15) / 1e9;
}

function amount(value: JsonValue | undefined): number | undefined {
  const usd = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof usd === 'number' ? usd : undefined;
}

/** `POST /api/show` of Ollama: the capabilities of one model, and the context window it is run with. */
export function parseModelDetails(text: string): ListedFacts {
  const body = parseJson(text.trim());
  if (!isObject(body)) return {};
  const details = isObject(body.model_info) ? body.model_info : {};
  const trained = Object.entries(details).find(([name, value]) => name.endsWith('.context_length') && tokenLimit(value) !== undefined)?.[1];
  // Ollama cuts prompts at `num_ctx` without an error, so a context window set there is the true one.
  const set = /^[ \t]*num_ctx[ \t]+(\d{1,12})[ \t]*\r?$/m.exec(asString(body.parameters) ?? '')?.[1];
  const capabilities = texts(body.capabilities);
  return plausibleFacts({
    contextWindow: set === undefined ? trained : Number(set),
    tools: among(capabilities, 'tools'),
    images: among(capabilities, 'vision'),
    thinking: among(capabilities, 'thinking'),
  });
}

function firstCount(...values: (JsonValue | undefined)[]): number | undefined {
  for (const value of values) {
    const count = tokenLimit(value);
    if (count !== undefined) return count;
  }
  return undefined;
}

/** A capability stands as `true`, as `{supported: true}`, or as an object of its kinds. */
function firstFlag(...values: (JsonValue | undefined)[]): boolean | undefined {
  for (const value of values) {
    const flag = flagIn(value, deepestFlag);
    if (flag !== undefined) return flag;
  }
  return undefined;
}

/** `{ types: { adaptive: { supported: true } } }` is the deepest form in use. */
const deepestFlag = 4;

function flagIn(value: JsonValue | undefined, depth: number): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (!isObject(value) || depth === 0) return undefined;
  if (typeof value.supported === 'boolean') return value.supported;
  const kinds = isObject(value.types) ? value.types : value;
  const flags = Object.values(kinds).flatMap(kind => flagIn(kind, depth - 1) ?? []);
  return flags.length > 0 ? flags.includes(true) : undefined;
}

function texts(value: JsonValue | undefined): string[] | undefined {
  return Array.isArray(value) ? value.filter(entry => typeof entry === 'string') : undefined;
}

/** Unknown when the list is absent or empty. */
function among(list: readonly string[] | undefined, name: string): boolean | undefined {
  return list === undefined || list.length === 0 ? undefined : list.includes(name);
}
