import { isObject, parseJson, type JsonObject } from '../../base/json.ts';
import { askLocal, localServerAt, type LocalServer } from '../localServer.ts';

/** A search for text through a large ledger takes as long as this, in milliseconds. */
const toolMs = 60_000;
const noAnswer = 'The running Waybill did not answer; ask again.';

type Id = string | number;

export interface RunningServerOptions {
  /** Looks for the server that runs now. */
  find(): Promise<LocalServer>;
  /** How long it may take to answer, in milliseconds. */
  waitMs: number;
}

/** Passes calls of tools on to the server of a data folder, while one runs. */
export class RunningServer {
  readonly #options: RunningServerOptions;
  readonly #calls = new Map<Id, AbortController>();

  constructor(options: RunningServerOptions) {
    this.#options = options;
  }

  /** @param port undefined: as localServerAt looks for it */
  static of(dataDir: string, port: number | undefined): RunningServer {
    return new RunningServer({ find: () => localServerAt(dataDir, port), waitMs: toolMs });
  }

  /**
   * Takes a message that is for the running server. A server that runs answers itself, or it is an error: what the ledger has
   * is never said in its place.
   * @returns undefined: the message is not for it, or none can be asked; else its answer, whose text is undefined where there is none
   */
  async answer(line: string): Promise<{ text: string | undefined } | undefined> {
    const message = parseJson(line);
    if (!isObject(message) || message.jsonrpc !== '2.0') return undefined;
    const { id, method, params } = message;
    if (method === 'notifications/cancelled' && isObject(params) && isId(params.requestId)) this.#calls.get(params.requestId)?.abort();
    return method === 'tools/call' && isId(id) ? this.#call(id, message) : undefined;
  }

  async #call(id: Id, message: JsonObject): Promise<{ text: string | undefined } | undefined> {
    const aborter = new AbortController();
    this.#calls.set(id, aborter);
    try {
      const server = await this.#options.find();
      if (aborter.signal.aborted) return { text: undefined };
      if (!('url' in server)) return undefined;
      const { status, text } = await askLocal(`${server.url}/mcp`, server.token, message, this.#options.waitMs, aborter.signal);
      // A request that was cancelled gets no response.
      if (aborter.signal.aborted) return { text: undefined };
      // A Waybill without these tools.
      if (status === 404) return undefined;
      return { text: status === 200 ? text : JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: noAnswer }], isError: true } }) };
    } finally {
      if (this.#calls.get(id) === aborter) this.#calls.delete(id);
    }
  }
}

function isId(id: unknown): id is Id {
  return typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id));
}
