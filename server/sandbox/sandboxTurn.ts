import type { ServerResponse } from 'node:http';
import { isObject } from '../base/json.ts';
import type { JsonObject } from '../base/json.ts';
import { pause } from '../base/clock.ts';
import { planDelivery } from './behaviourSteps.ts';
import { composeAnswer, composeEmptyAnswer, composeRefusal, composeUsage } from './composeAnswer.ts';
import { deliver, forever } from './delivery.ts';
import { maskCredential } from './requestJournal.ts';
import type { SandboxRequest } from './requestJournal.ts';
import type { SandboxBehaviour, SandboxErrorKind } from './sandboxBehaviour.ts';
import type { JudgedRequest } from './strict/strictProviders.ts';
import type { FailureRequest, SandboxAnswer, SandboxPrompt, SandboxReply, SandboxSpeech, SandboxWire } from './wires/sandboxWire.ts';

export interface Latency { headersMs: number; firstTokenMs: number; betweenWordsMs: number }

/** What a turn needs of the provider it happens at. */
export interface TurnProvider {
  name: string;
  wire: SandboxWire;
  latency: Latency;
  /** Accepted credentials; absent: any, or none. */
  keys: readonly string[] | undefined;
  models: readonly string[];
  /** A model that is not listed is refused. */
  strictModels: boolean;
  /** Unix seconds; the creation time models are listed with. */
  startedAt: number;
  /** What it says in place of its usual words; undefined: those. */
  says: ((prompt: SandboxPrompt, body: JsonObject) => SandboxSpeech | undefined) | undefined;
  /** Its answer to a request that the real provider refuses; undefined: it takes whatever it can read. */
  refuses: ((request: JudgedRequest) => { status: number; body: JsonObject } | undefined) | undefined;
  /** The behaviour for a generating request that has arrived (uses up a list). */
  takeBehaviour(): SandboxBehaviour;
  /** The behaviour for any other request. */
  otherBehaviour(): SandboxBehaviour;
  nextReplyId(): string;
  nextCallId(): string;
}

/** One request to answer. `broken` is called right before the provider itself breaks the connection. */
export interface Turn {
  provider: TurnProvider;
  entry: SandboxRequest;
  response: ServerResponse;
  /** The client went away, or the provider closes. */
  signal: AbortSignal;
  broken: () => void;
}

/** Answers one request as the protocol and the current behaviour demand. Resolves when nothing more will be sent. */
export async function answerTurn(turn: Turn): Promise<void> {
  const { provider, entry } = turn;
  const { pathname: path, searchParams } = new URL(entry.path, 'http://sandbox');
  const call = provider.wire.call(entry.method, path, searchParams);
  const behaviour = call?.kind === 'generate' ? provider.takeBehaviour() : provider.otherBehaviour();
  if (call?.kind === 'generate') entry.behaviour = behaviour.type;
  await pause(provider.latency.headersMs + (behaviour.type === 'answer' ? behaviour.headersMs ?? 0 : 0), turn.signal);
  if (turn.signal.aborted || await answerWithoutReading(turn, behaviour)) return;

  if (call === undefined) return sendFailure(turn, { kind: 'bad-request', message: `Unknown request URL: ${entry.method} ${path}` }, 404);
  const credential = provider.wire.credential(entry.headers);
  if (provider.keys !== undefined && (credential === undefined || !provider.keys.includes(credential))) {
    return sendFailure(turn, { kind: 'auth', maskedKey: credential === undefined ? undefined : maskCredential(credential) });
  }
  switch (call.kind) {
    case 'models': return sendJson(turn, 200, provider.wire.modelList(provider.models, provider.startedAt));
    case 'model':
      if (provider.models.includes(call.id)) return sendJson(turn, 200, provider.wire.model(call.id, provider.startedAt));
      return sendFailure(turn, { kind: 'model-not-found', model: call.id });
    case 'count-tokens': case 'generate': {
      if (!isObject(entry.body)) return sendFailure(turn, { kind: 'bad-request', message: 'We could not parse the JSON body of your request.' });
      const refusal = call.kind === 'generate' ? provider.refuses?.({ body: entry.body, model: call.model ?? failureRequest(turn).model, headers: entry.headers, requestId: failureRequest(turn).requestId }) : undefined;
      if (refusal !== undefined) return sendJson(turn, refusal.status, refusal.body);
      const prompt = provider.wire.readPrompt(entry.body, entry.headers, call);
      if (typeof prompt === 'string') return sendFailure(turn, { kind: 'bad-request', message: prompt });
      if (provider.strictModels && !provider.models.includes(prompt.model)) return sendFailure(turn, { kind: 'model-not-found', model: prompt.model });
      if (call.kind === 'count-tokens') return sendJson(turn, 200, provider.wire.tokenCount?.(prompt.inputTokens) ?? {});
      return generate(turn, behaviour, prompt, entry.body);
    }
  }
}

/** Behaviours of a provider that never looks at what was asked. True: the request has been dealt with. */
async function answerWithoutReading(turn: Turn, behaviour: SandboxBehaviour): Promise<boolean> {
  const { response, signal } = turn;
  switch (behaviour.type) {
    case 'refuse': case 'black-hole': case 'no-answer':
      await forever(signal);
      return true;
    case 'status': {
      const body = behaviour.body ?? (behaviour.status < 400 ? {} : turn.provider.wire.failure({ ...failureRequest(turn), kind: kindOfStatus(behaviour.status) }).body);
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(behaviour.status, { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json', ...behaviour.headers }).end(text);
      return true;
    }
    case 'error': {
      const { error, message, retryAfter } = behaviour;
      sendFailure(turn, { kind: error, message, retryAfter }, behaviour.status, behaviour.headers);
      return true;
    }
    case 'html':
      response.writeHead(behaviour.status ?? 200, { 'content-type': 'text/html; charset=utf-8' })
        .end('<!doctype html><html><head><title>Sign in to the network</title></head><body><h1>Please sign in</h1></body></html>');
      return true;
    case 'redirect':
      response.writeHead(behaviour.status ?? 307, { location: behaviour.location }).end();
      return true;
    default:
      return false;
  }
}

async function generate(turn: Turn, behaviour: SandboxBehaviour, prompt: SandboxPrompt, body: JsonObject): Promise<void> {
  const { provider, response, signal } = turn;
  if (behaviour.type === 'reject-foreign-thinking' && provider.wire.hasForeignThinking(body, provider.name)) return sendFailure(turn, { kind: 'foreign-thinking' });
  const overrides = behaviour.type === 'answer' ? behaviour : undefined;
  const speech = provider.says?.(prompt, body);
  const answers = Array.from({ length: prompt.choices }, () => compose(provider, prompt, behaviour, speech));
  const numbers = typeof overrides?.usage === 'object' ? overrides.usage : {};
  const reply: SandboxReply = {
    id: provider.nextReplyId(),
    provider: provider.name,
    model: prompt.model,
    createdAt: Math.floor(Date.now() / 1000),
    answers,
    usage: overrides?.usage === 'missing' ? undefined : composeUsage(prompt, answers, numbers),
    inconsistentUsage: overrides?.usage === 'inconsistent',
    includeUsage: prompt.includeUsage,
    thinkingHidden: prompt.thinking === 'hidden',
    logprobs: prompt.logprobs === true,
    customTools: new Set(prompt.tools.flatMap((tool) => (tool.custom === true ? [tool.name] : []))),
  };
  turn.entry.usage = reply.usage;
  const pace = {
    firstTokenMs: overrides?.firstTokenMs ?? provider.latency.firstTokenMs,
    betweenWordsMs: overrides?.betweenWordsMs ?? provider.latency.betweenWordsMs,
  };
  const plan = planDelivery({ behaviour, wire: provider.wire, reply, stream: prompt.stream, pace });
  response.writeHead(200, { ...provider.wire.headers(reply.id), ...(prompt.stream ? { 'cache-control': 'no-cache' } : {}), ...plan.headers });
  response.flushHeaders();
  await deliver(response, plan.steps, signal, turn.broken);
}

function compose(provider: TurnProvider, prompt: SandboxPrompt, behaviour: SandboxBehaviour, speech: SandboxSpeech | undefined): SandboxAnswer {
  switch (behaviour.type) {
    case 'empty': return composeEmptyAnswer();
    case 'refusal': return composeRefusal(behaviour.text);
    case 'answer': return composeAnswer(provider.name, prompt, () => provider.nextCallId(), { ...speech, ...behaviour });
    default: return composeAnswer(provider.name, prompt, () => provider.nextCallId(), speech === undefined ? undefined : { type: 'answer', ...speech });
  }
}

function failureRequest(turn: Turn): Omit<FailureRequest, 'kind'> {
  const named = isObject(turn.entry.body) && typeof turn.entry.body['model'] === 'string' ? turn.entry.body['model'] : undefined;
  const model = named ?? /\/models\/([^:/?]+)/.exec(turn.entry.path)?.[1] ?? '';
  const credential = turn.provider.wire.credential(turn.entry.headers);
  return { model, requestId: `req_sandbox_${turn.entry.number}`, maskedKey: credential === undefined ? undefined : maskCredential(credential) };
}

function sendFailure(turn: Turn, failure: Partial<FailureRequest> & { kind: SandboxErrorKind }, status?: number, headers?: Record<string, string>): void {
  const written = turn.provider.wire.failure({ ...failureRequest(turn), ...failure });
  sendJson(turn, status ?? written.status, written.body, { ...written.headers, ...headers });
}

function sendJson(turn: Turn, status: number, body: JsonObject, headers: Record<string, string> = {}): void {
  const requestId = `req_sandbox_${turn.entry.number}`;
  turn.response.writeHead(status, { ...turn.provider.wire.headers(requestId), 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function kindOfStatus(status: number): SandboxErrorKind {
  switch (status) {
    case 400: case 422: return 'bad-request';
    case 401: return 'auth';
    case 402: return 'quota';
    case 403: return 'permission';
    case 404: return 'model-not-found';
    case 408: case 504: case 524: return 'timeout';
    case 429: return 'rate-limit';
    case 502: return 'bad-gateway';
    case 503: case 529: return 'overloaded';
    default: return 'server';
  }
}
