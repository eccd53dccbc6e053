import type { Requirements } from '../api/routes/requirements.ts';
import type { ProtocolName } from '../api/conversation.ts';
import type { KeyMaterial } from '../api/messages.ts';
import type { Clock } from '../base/clock.ts';
import { WaybillError } from '../base/failure.ts';
import type { Redactor } from '../base/secrets/redact.ts';
import { chatUrl } from '../catalog/paths.ts';
import type { EndpointConfig } from '../config/config.ts';
import { anthropicVersion, versionHeader } from '../protocols/anthropicMessages/version.ts';
import { authorize } from '../keys/authHeader.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import { requestKind } from '../routing/classify.ts';
import type { MakePlan } from '../routing/plan.ts';
import { identityOnly } from '../upstream/contentCodings.ts';
import { fetchText } from '../upstream/fetchText.ts';
import type { Dispatcher } from '../upstream/call.ts';
import type { ViewNow } from './view.ts';

/** A prompt whose tokens are to be counted. */
export interface CountRequest {
  protocol: ProtocolName;
  requestedModel: string;
  requirements: Requirements;
  /** The caller's headers of its protocol. */
  headers: Readonly<Record<string, string>>;
  /** The Waybills that the request has passed before; see base/hops.ts. */
  hops?: string | undefined;
  /** The body for a model name. */
  body(model: string): readonly Buffer[];
}

const countTimeoutMs = 5000;
const noKeys: ReadonlySet<string> = new Set();

export interface TokenCounterOptions {
  makePlan: MakePlan;
  view: ViewNow;
  register: Redactor;
  transport: Dispatcher;
  keys: Pick<KeyPool, 'pick'>;
  clock: Clock;
}

/** Has prompts counted by the provider that would answer them. */
export class TokenCounter {
  readonly #options: TokenCounterOptions;

  constructor(options: TokenCounterOptions) {
    this.#options = options;
  }

  /**
   * Asks the first target of a plan to count a prompt's tokens, where that target speaks the caller's protocol.
   * @returns the provider's answer as text, redacted; undefined when there is no count
   */
  async count(request: CountRequest): Promise<string | undefined> {
    const { makePlan, view, register, transport, keys, clock } = this.#options;
    const { requestedModel, requirements, protocol } = request;
    if (register.holds(requestedModel)) return undefined;
    const planned = makePlan({ requestedModel, requirements, caller: { tool: 'http' }, kind: requestKind({ requirements }), stream: false, conversation: '', rehearsal: true }, view(requirements.estimatedInputTokens));
    const [target] = planned.targets;
    if (target === undefined || target.endpoint.protocol !== protocol) return undefined;
    const { endpoint } = target;
    const counted = await countAtProvider(transport, endpoint, target.upstreamModel, keys.pick(endpoint.name, noKeys, clock.now()), request);
    return counted === undefined ? undefined : register.redact(counted);
  }
}

/** @returns the provider's answer; undefined when it does not count, refuses, or cannot be reached */
async function countAtProvider(
  dispatcher: Dispatcher, endpoint: EndpointConfig, model: string, key: KeyMaterial | undefined, count: CountRequest,
): Promise<string | undefined> {
  const chat = chatUrl(endpoint, model, false);
  const url = countUrl(endpoint.protocol, chat);
  if (url === undefined || endpoint.provider.anthropicVersionInBody !== undefined) return undefined;
  try {
    const authorization = authorize(endpoint, key, url);
    const answer = await fetchText(dispatcher, endpoint, {
      method: 'POST', url: authorization.url, login: authorization.login, hops: count.hops, body: count.body(model),
      headers: {
        'content-type': 'application/json',
        ...identityOnly,
        ...(endpoint.protocol === 'anthropic-messages' ? { [versionHeader]: anthropicVersion(endpoint.provider.dialect) } : {}),
        ...count.headers, ...endpoint.headers, ...authorization.headers,
      },
    }, countTimeoutMs);
    return answer.status === 200 ? answer.text : undefined;
  } catch (error) {
    if (error instanceof WaybillError) return undefined;
    throw error;
  }
}

function countUrl(protocol: ProtocolName, chat: string): string | undefined {
  switch (protocol) {
    case 'anthropic-messages': return `${chat}/count_tokens`;
    case 'openai-responses': return `${chat}/input_tokens`;
    case 'gemini': return chat.replace(/:generateContent$/, ':countTokens');
    case 'openai-chat': return undefined;
  }
}
