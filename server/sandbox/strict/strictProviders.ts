import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../base/json.ts';
import type { SandboxProtocol } from '../wires/sandboxWire.ts';
import { anthropicChecks } from './anthropic.ts';
import { deepseekChecks, groqChecks, mistralChecks, moonshotChecks, xaiChecks } from './chatProviders.ts';
import { geminiChecks } from './gemini.ts';
import { openAiChatChecks } from './openaiChat.ts';
import { openAiResponsesChecks } from './openaiResponses.ts';
import { openModelProviders } from './openModels/openModelProviders.ts';
import { deepseekMessagesChecks } from './deepseekMessages.ts';
import { llamaCpp, lmStudio, ollama } from './llamaServers.ts';
import { sglang, vllm } from './pythonServers.ts';
import { holysheep, litellm, openrouter, waybill } from './relays.ts';
import { firstRefusal } from './strictCheck.ts';
import { anthropicBody, bareBody, deepseekBody, googleBody, mistralBody, openAiBody, xaiBody } from './strictProvider.ts';
import type { StrictProvider } from './strictProvider.ts';

/** By the provider's id in the catalog. */
export const strictProviders = {
  openai: { checks: { 'openai-chat': openAiChatChecks, 'openai-responses': openAiResponsesChecks }, write: openAiBody },
  azure: { checks: { 'openai-chat': openAiChatChecks, 'openai-responses': openAiResponsesChecks }, write: openAiBody },
  anthropic: { checks: { 'anthropic-messages': anthropicChecks }, write: anthropicBody },
  gemini: { checks: { gemini: geminiChecks }, write: googleBody },
  vertex: { checks: { 'gemini': geminiChecks, 'anthropic-messages': anthropicChecks }, write: googleBody },
  deepseek: { checks: { 'openai-chat': deepseekChecks, 'anthropic-messages': deepseekMessagesChecks }, write: deepseekBody },
  mistral: { checks: { 'openai-chat': mistralChecks }, write: mistralBody },
  codestral: { checks: { 'openai-chat': mistralChecks }, write: mistralBody },
  moonshot: { checks: { 'openai-chat': moonshotChecks }, write: bareBody },
  groq: { checks: { 'openai-chat': groqChecks }, write: bareBody },
  xai: { checks: { 'openai-chat': xaiChecks, 'openai-responses': xaiChecks }, write: xaiBody },
  ...openModelProviders,
  vllm, sglang, llamacpp: llamaCpp, ollama, lmstudio: lmStudio, openrouter, holysheep, litellm, waybill,
} as const satisfies Readonly<Record<string, StrictProvider>>;

export type StrictProviderId = keyof typeof strictProviders;

/** Whose rules a simulated provider has, where it is not said: those of the vendor that made the protocol. */
export const strictOwners: Readonly<Record<SandboxProtocol, StrictProviderId>> = {
  'openai-chat': 'openai', 'openai-responses': 'openai', 'anthropic-messages': 'anthropic', 'gemini': 'gemini',
};

/** A request that a strict provider got. */
export interface JudgedRequest {
  readonly body: JsonObject;
  readonly model: string;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
}

/** What a provider answers to a request that it refuses; undefined: it takes it. */
export function refusalOf(provider: StrictProviderId, protocol: SandboxProtocol, request: JudgedRequest): { status: number; message: string; body: JsonObject } | undefined {
  const { checks, write, writeIn }: StrictProvider = strictProviders[provider];
  const model = request.model.toLowerCase().replace(/^.*\//, '');
  const refusal = firstRefusal(checks[protocol] ?? [], { body: request.body, model, headers: request.headers });
  return refusal === undefined ? undefined : { status: refusal.status ?? 400, message: refusal.message, body: (writeIn?.[protocol] ?? write)(refusal, request.requestId, protocol) };
}
