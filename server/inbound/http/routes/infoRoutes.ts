import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpStatus, OfferedModel } from '../../../api/status.ts';
import type { TimeRange } from '../../../api/receipt.ts';
import type { Router } from '../../../router/router.ts';
import { callerProtocol } from '../request/callerProtocol.ts';
import { answerIdentity, identityPath } from '../auth/identity.ts';
import { refusalBody } from '../refusal.ts';
import { sentPath } from '../request/requestPath.ts';
import { endAfterBody, sendJson } from '../sendJson.ts';

const geminiList = /^\/v1beta1?\/models$/;

export interface InfoRoutesOptions {
  router: Router;
  /** Of the data folder: proves to other windows who this server is. */
  token: string;
  http(): HttpStatus;
}

/** Everything the local endpoint tells about itself: health, models, status, spend, receipts. */
export class InfoRoutes {
  #options: InfoRoutesOptions;

  constructor(options: InfoRoutesOptions) {
    this.#options = options;
  }

  /** Answers what needs no token. @returns false when the path is none of these */
  withoutToken(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const { method } = request;
    if (path === '/health' && (method === 'GET' || method === 'HEAD')) {
      const serves = this.#options.router.canServe();
      sendJson(response, serves ? 200 : 503, { status: serves ? 'ok' : 'unavailable' });
      return true;
    }
    if (path === identityPath && method === 'GET') {
      answerIdentity(request, response, this.#options.token);
      return true;
    }
    if (method === 'HEAD' || (method === 'GET' && path === '/')) {
      const text = Buffer.from('Waybill\n');
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': text.length });
      endAfterBody(response, text);
      return true;
    }
    if (method === 'OPTIONS') {
      // No cross-origin permissions: web pages have no business here.
      response.writeHead(204, { allow: 'GET, POST, HEAD, OPTIONS' });
      endAfterBody(response, Buffer.alloc(0));
      return true;
    }
    return false;
  }

  async withToken(request: IncomingMessage, response: ServerResponse, path: string, query: string): Promise<void> {
    if (request.method !== 'GET') {
      notFound(request, response, `There is no ${request.method ?? ''} ${sentPath(request.url)} here.`);
      return;
    }
    const { router } = this.#options;
    const parameters = new URLSearchParams(query);
    if (geminiList.test(path)) return this.#googleModels(response);
    if (path === '/models') return callerProtocol(request.headers) === 'gemini' ? this.#googleModels(response) : this.#models(request, response);
    if (path === '/api/tags') return this.#ollamaTags(response);
    if (path.startsWith('/models/')) return this.#model(request, response, decoded(path.slice('/models/'.length)));
    if (path === '/waybill/status') return sendJson(response, 200, router.status(this.#options.http()));
    if (path === '/waybill/spend') {
      const range = rangeOf(parameters, router.clock.now());
      if (range === undefined) return sendJson(response, 400, { error: { message: 'Give range=today, 7d or month, or from and to in milliseconds since the epoch.' } });
      return sendJson(response, 200, await router.spend(range));
    }
    if (path === '/waybill/exchanges') {
      const limit = Math.min(Math.max(Number(parameters.get('limit') ?? '50') || 50, 1), 1000);
      const beforeText = parameters.get('before');
      const before = beforeText === null ? undefined : beforeText.trim() === '' ? NaN : Number(beforeText);
      if (before !== undefined && !Number.isFinite(before)) {
        return sendJson(response, 400, { error: { message: 'Give before in milliseconds since the epoch.' } });
      }
      return sendJson(response, 200, await router.recent(limit, before));
    }
    if (path.startsWith('/waybill/exchanges/')) {
      const receipt = await router.receipt(decoded(path.slice('/waybill/exchanges/'.length)));
      if (receipt === undefined) return notFound(request, response, 'There is no exchange of that id.');
      return sendJson(response, 200, receipt);
    }
    notFound(request, response, `There is no ${sentPath(request.url)} here.`);
  }

  #models(request: IncomingMessage, response: ServerResponse): void {
    const offered = this.#options.router.offered();
    const data = offered.map(one => modelEntry(one));
    sendJson(response, 200, request.headers['anthropic-version'] === undefined
      ? { object: 'list', data }
      : { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
  }

  #googleModels(response: ServerResponse): void {
    sendJson(response, 200, { models: this.#options.router.offered().map(googleEntry) });
  }

  /** For tools that look for local models the Ollama way. */
  #ollamaTags(response: ServerResponse): void {
    sendJson(response, 200, { models: this.#options.router.offered().map(one => ({ name: one.requestedModel, model: one.requestedModel, details: {} })) });
  }

  #model(request: IncomingMessage, response: ServerResponse, name: string): void {
    const found = this.#options.router.offered().find(one => one.requestedModel === name);
    if (found === undefined) notFound(request, response, `There is no model or route named ${name}.`);
    else sendJson(response, 200, modelEntry(found));
  }
}

function googleEntry(one: OfferedModel) {
  return {
    name: `models/${one.requestedModel}`, baseModelId: one.requestedModel, version: '1', displayName: one.kind === 'route' ? `${one.name} (route)` : one.name,
    inputTokenLimit: one.maxInputTokens, outputTokenLimit: one.maxOutputTokens,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
  };
}

/** One entry that OpenAI's and Anthropic's clients both accept. */
function modelEntry(one: OfferedModel) {
  return {
    id: one.requestedModel, object: 'model', type: 'model', created: 0, created_at: '1970-01-01T00:00:00Z', owned_by: 'waybill',
    display_name: one.kind === 'route' ? `${one.name} (route)` : one.name,
    max_input_tokens: one.maxInputTokens, max_tokens: one.maxOutputTokens,
  };
}

function rangeOf(parameters: URLSearchParams, now: number): TimeRange | undefined {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const to = now + 1;
  switch (parameters.get('range') ?? (parameters.has('from') ? 'custom' : 'today')) {
    case 'today': return { from: midnight.getTime(), to };
    case '7d': return { from: new Date(midnight.getFullYear(), midnight.getMonth(), midnight.getDate() - 6).getTime(), to };
    case 'month': return { from: new Date(midnight.getFullYear(), midnight.getMonth(), 1).getTime(), to };
    case 'custom': {
      const from = Number(parameters.get('from'));
      const until = parameters.has('to') ? Number(parameters.get('to')) : to;
      return Number.isFinite(from) && Number.isFinite(until) && from <= until ? { from, to: until } : undefined;
    }
    default: return undefined;
  }
}

/** A piece of a path as it was meant; as it came where its escapes are broken, so that it is merely not found. */
function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}

function notFound(request: IncomingMessage, response: ServerResponse, message: string): void {
  sendJson(response, 404, refusalBody(callerProtocol(request.headers), 404, message));
}
