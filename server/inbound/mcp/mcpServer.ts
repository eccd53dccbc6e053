import { isObject, parseJson, type JsonValue } from '../../base/json.ts';
import { callTool, toolDefinitions, type McpSource } from './mcpTools.ts';

/**
 * A server of the Model Context Protocol: the part of it that offers tools, with JSON-RPC messages as text in and out. It keeps no
 * session, so that each message can come over a connection of its own.
 * @see https://modelcontextprotocol.io/specification/2025-11-25
 */

/** Revisions of the protocol that are spoken, the latest first. */
export const protocolVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

type Id = string | number;

interface RpcError { code: number; message: string; data?: JsonValue | undefined }

const parseError = -32700;
const invalidRequest = -32600;
const methodNotFound = -32601;
const invalidParams = -32602;
const internalError = -32603;

const instructions = 'Waybill routes AI requests over several providers and keeps one ledger of what they cost. These tools read it: spend, health, limits of money, why a request went where it went, and where a task could go for less. They change nothing and hold no prompts. Costs are US dollars; ~ marks an estimate, + a sum of which a part is unknown.';

/** What a message is answered with. */
export interface McpAnswer {
  /** The response as JSON; undefined for notifications, responses and requests that were cancelled. */
  text: string | undefined;
  /** The message was no message of the protocol. */
  invalid: boolean;
}

export interface McpOptions {
  source: McpSource;
  /** Of Waybill. */
  version: string;
  /** Says which errors of ours befell a tool; the caller gets one sentence. */
  failed(error: unknown): void;
}

/** Answers messages; requests that run can be cancelled by a later message. */
export class McpServer {
  readonly #options: McpOptions;
  readonly #running = new Map<Id, AbortController>();

  constructor(options: McpOptions) {
    this.#options = options;
  }

  /** Answers one message. @param signal the caller is gone; undefined: it says so in a message */
  async answer(text: string, signal?: AbortSignal): Promise<McpAnswer> {
    const message = parseJson(text);
    if (message === undefined) return refused(null, { code: parseError, message: 'The message is not JSON.' });
    if (!isObject(message) || message.jsonrpc !== '2.0') {
      return refused(null, { code: invalidRequest, message: Array.isArray(message) ? 'Send one message at a time: batches are not part of the protocol any more.' : 'The message is not of JSON-RPC 2.0.' });
    }
    const { id, method, params } = message;
    if (typeof method !== 'string') {
      // An answer to a request of ours, of which there are none.
      return 'result' in message || 'error' in message ? { text: undefined, invalid: false } : refused(idOf(id) ?? null, { code: invalidRequest, message: 'The message has no method.' });
    }
    if (id === undefined) {
      this.#notified(method, params);
      return { text: undefined, invalid: false };
    }
    const requestId = idOf(id);
    if (requestId === undefined) return refused(null, { code: invalidRequest, message: 'The id is neither text nor a number.' });
    return { text: await this.#request(requestId, method, params, signal), invalid: false };
  }

  /** Gives up everything that runs. */
  close(): void {
    for (const aborter of this.#running.values()) aborter.abort();
  }

  #notified(method: string, params: unknown): void {
    if (method !== 'notifications/cancelled' || !isObject(params)) return;
    const id = idOf(params.requestId);
    if (id !== undefined) this.#running.get(id)?.abort();
  }

  async #request(id: Id, method: string, params: unknown, signal: AbortSignal | undefined): Promise<string | undefined> {
    switch (method) {
      case 'initialize': return this.#initialize(id, params);
      case 'ping': return response(id, {});
      case 'tools/list': return response(id, { tools: toolDefinitions });
      case 'tools/call': return this.#call(id, params, signal);
      default: return failure(id, { code: methodNotFound, message: `There is no method "${method.slice(0, 100)}".` });
    }
  }

  #initialize(id: Id, params: unknown): string {
    const asked = isObject(params) ? params.protocolVersion : undefined;
    if (typeof asked !== 'string') return failure(id, { code: invalidParams, message: 'initialize needs protocolVersion.' });
    return response(id, {
      // A client that does not speak the offered revision ends the connection.
      protocolVersion: protocolVersions.find(version => version === asked) ?? protocolVersions[0],
      capabilities: { tools: { listChanged: false } },
      serverInfo: { name: 'waybill', title: 'Waybill', version: this.#options.version },
      instructions,
    });
  }

  async #call(id: Id, params: unknown, signal: AbortSignal | undefined): Promise<string | undefined> {
    const name = isObject(params) ? params.name : undefined;
    const given = isObject(params) ? params.arguments ?? {} : {};
    if (typeof name !== 'string' || !isObject(given)) return failure(id, { code: invalidParams, message: 'tools/call needs name, and arguments as an object.' });
    const aborter = new AbortController();
    const gone = (): void => aborter.abort();
    signal?.addEventListener('abort', gone, { once: true });
    this.#running.set(id, aborter);
    try {
      const result = await callTool(this.#options.source, name, given, aborter.signal);
      // A request that was cancelled gets no response.
      if (aborter.signal.aborted) return undefined;
      return result === undefined ? failure(id, { code: invalidParams, message: `There is no tool "${name.slice(0, 100)}".` }) : response(id, result);
    } catch (error) {
      this.#options.failed(error);
      return failure(id, { code: internalError, message: 'Waybill failed at this tool; its log says more.' });
    } finally {
      signal?.removeEventListener('abort', gone);
      if (this.#running.get(id) === aborter) this.#running.delete(id);
    }
  }
}

function idOf(id: unknown): Id | undefined {
  return typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id)) ? id : undefined;
}

function response(id: Id, result: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

function failure(id: Id | null, error: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}

function refused(id: Id | null, error: RpcError): McpAnswer {
  return { text: failure(id, error), invalid: true };
}
