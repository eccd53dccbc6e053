import type { TestContext } from 'node:test';
import type { ResponseCacheSettings, RouteSettings } from '../../../../server/api/settings.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { ResponseCache } from '../../../../server/exchange/cache/responseCache.ts';
import type { AnswersElsewhere } from '../../../../server/exchange/cache/replicas/answersElsewhere.ts';
import { responseCacheObserver } from '../../../../server/router/observers/responseCacheObserver.ts';
import { Exchange } from '../../../../server/exchange/exchange.ts';
import { encodedConversation, type ExchangeInput, type RawBody } from '../../../../server/exchange/request.ts';
import type { ExchangeServices } from '../../../../server/exchange/services.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { codecFor, supportedProtocols } from '../../../../server/protocols/registry.ts';
import { readRequestFacts } from '../../../../server/inbound/http/request/requirements.ts';
import { isObject, parseJson } from '../../../../server/base/json.ts';
import { RecordingSink, ScriptedTransport } from '../exchangeFakes.ts';
import { createTestRouter } from '../../router/createTestRouter.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { noon } from '../../ledger/receipts.ts';

export interface Asked { readonly exchange: Exchange; readonly sink: RecordingSink }

/** What a caller of the Chat protocol sends, and who it is. */
export interface Asking extends Partial<Pick<ExchangeInput, 'headers' | 'tenant' | 'caller' | 'requestedModel'>> {
  body?: object;
  /** Absent: a conversation. */
  operation?: 'completion' | 'embedding';
}

export interface CacheUnderTest {
  readonly transport: ScriptedTransport;
  readonly services: ExchangeServices;
  readonly ledger: InMemoryLedger;
  readonly clock: { now: number };
  /** Adopts other routes. */
  configure(routes: Record<string, RouteSettings>): void;
  /** Sends a request at temperature 0. */
  ask(asking?: Asking): Asked;
  /** Everything that has ended is priced and written down. */
  priced(): Promise<void>;
}

export const cachedRoute = (responseCache: ResponseCacheSettings = {}, targets = ['a/m', 'b/m']): RouteSettings => ({ targets, responseCache });

/**
 * Exchanges of callers of the Chat protocol over a route that keeps answers, with providers that the test controls.
 * @param elsewhere answers of other replicas @param name begins the ids of exchanges
 */
export function cacheUnderTest(t: TestContext, route: RouteSettings = cachedRoute(), elsewhere?: AnswersElsewhere, name = 'x'): CacheUnderTest {
  const clock = { now: noon };
  const ledger = new InMemoryLedger();
  const parts = createTestRouter({
    ledger, clock: { now: () => clock.now }, pricer: createPricer({ log: silentLog, load: () => Promise.reject(new Error('there is no price table')) }),
  });
  t.after(() => parts.router.shutdown());
  const endpoint = { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, models: { m: { prices: { inputPerMTok: 1, outputPerMTok: 1 } } } };
  const configure = (routes: Record<string, RouteSettings>): void => {
    const { config, problems } = resolveConfig({ endpoints: { a: endpoint, b: endpoint }, routes }, { catalog: { providers, findProvider }, supportedProtocols, source: elsewhere === undefined ? 'settings' : 'file' });
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    parts.router.configure(config, new Map(), problems);
  };
  configure({ auto: route });
  const transport = new ScriptedTransport();
  const services: ExchangeServices = { ...parts.services, transport, hedgeSpentToday: () => 0 };
  if (elsewhere !== undefined) {
    services.responses = new ResponseCache({ now: () => clock.now }, services.config, elsewhere);
    t.after(services.events.subscribe(responseCacheObserver(services.responses)).dispose);
  }
  let count = 0;
  return {
    transport, services, ledger, clock, configure,
    ask(asking = {}) {
      const { body = {}, operation, ...input } = asking;
      const bytes = Buffer.from(JSON.stringify({ model: 'auto', stream: true, temperature: 0, messages: [{ role: 'user', content: 'Hi' }], ...body }));
      const scan = scanObject(bytes);
      const facts = scan === undefined ? undefined : readRequestFacts('openai-chat', bytes, scan);
      if (scan === undefined || facts === undefined) throw new Error('the body is wrong');
      const raw: RawBody = { bytes, scan, protocolHeaders: {}, includeUsage: facts.includeUsage };
      const sink = new RecordingSink();
      const decode = codecFor('openai-chat');
      const parsed = parseJson(bytes.toString());
      count += 1;
      const exchange = new Exchange(services, {
        id: `${name}-${String(count)}`, inbound: 'http', protocol: 'openai-chat', requestedModel: 'auto', stream: facts.stream, caller: { tool: 'test' }, requirements: facts.requirements, patienceMs: 0,
        body: operation !== undefined ? { kind: operation, raw } : encodedConversation(raw, false, () => { if (decode === undefined || !isObject(parsed)) throw new Error('no body'); return decode.decodeRequest(parsed); }), ...input,
      }, sink);
      exchange.start();
      return { exchange, sink };
    },
    async priced() {
      await new Promise(resolve => { setImmediate(resolve); });
      await new Promise(resolve => { setImmediate(resolve); });
    },
  };
}

/** The text that a caller got as events. */
export function textOf({ got }: RecordingSink): string {
  return got.filter(one => !/^(?:begin|bytes|buffered|end|fail)\b/.test(one)).join('');
}
