import { stop } from './childProcess.ts';
import type { Measure } from './measure.ts';
import { quantile } from './statistics.ts';
import { upstreamModel } from './traffic.ts';
import { UnsteadyProvider } from './unsteadyProvider.ts';

/**
 * What hedging makes of a target that stalls in one of twenty requests: first tokens through a route that hedges, beside the
 * same target without stalls and beside a route that does not hedge, in the same run.
 */

const concurrency = 8;
const stallEvery = 20;
/** Without hedging each stall is waited out; a part of the requests shows it. */
const unhedgedPart = 4;
const slowerAllowed = 1.5;
const extraAllowedPercent = 6;

function configuration(ports: { first: number; second: number }): string[] {
  const endpoint = (name: string, port: number): string => `  ${name}: { provider: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1", keys: ["bench-key"],`
    + ` models: { ${upstreamModel}: { upstream: ${upstreamModel}, prices: { inputPerMTok: 0.42, outputPerMTok: 0.84 } } } }`;
  const targets = `targets: [first/${upstreamModel}, second/${upstreamModel}]`;
  return [
    'endpoints:', endpoint('first', ports.first), endpoint('second', ports.second),
    'routes:', `  patient: { ${targets}, hedge: { enabled: false } }`, `  hedged: { ${targets}, hedge: { enabled: true } }`,
  ];
}

export const hedgingMeasure: Measure = {
  name: 'hedging',
  rows: {
    'hedging without stalls p50': { title: 'first token p50, nothing stalls', unit: 'ms' },
    'hedging without stalls p99': { title: 'first token p99, nothing stalls', unit: 'ms' },
    'hedging off p99': { title: 'first token p99, one in twenty stalls for 1 s, not hedged', unit: 'ms' },
    'hedging on p99': { title: 'first token p99, one in twenty stalls for 1 s, hedged', unit: 'ms' },
    'hedging ratio': { title: 'hedged p99 with stalls to p99 without', unit: 'x', target: { most: slowerAllowed } },
    'hedging extra': { title: 'second requests', unit: '%', target: { most: extraAllowedPercent } },
  },
  async run(bench) {
    const provider = await UnsteadyProvider.start();
    const server = await bench.starter.startWaybill(configuration(provider.ports), `data-hedging-${bench.round}`);
    const firstTokensMs = async (route: string, requests: number): Promise<number[]> => {
      const { firstTokensUs } = await bench.load.run({ kind: 'questions', target: server.route(route), requests, concurrency });
      return firstTokensUs.map(us => us / 1000);
    };
    try {
      const requests = bench.amounts.stallRequests;
      await firstTokensMs('patient', concurrency * 10);
      const undisturbed = await firstTokensMs('patient', requests);
      await provider.order({ stallEvery });
      const waited = await firstTokensMs('patient', requests / unhedgedPart);
      await provider.order({ stallEvery });
      const hedged = await firstTokensMs('hedged', requests);
      const { second } = await provider.order({ stallEvery: 0 });
      const withoutMs = quantile(undisturbed, 0.99);
      bench.record('hedging without stalls p50', 'waybill', quantile(undisturbed, 0.5));
      bench.record('hedging without stalls p99', 'waybill', withoutMs);
      bench.record('hedging off p99', 'waybill', quantile(waited, 0.99));
      bench.record('hedging on p99', 'waybill', quantile(hedged, 0.99));
      bench.record('hedging ratio', 'waybill', quantile(hedged, 0.99) / withoutMs);
      bench.record('hedging extra', 'waybill', 100 * second / requests);
    } finally {
      await stop(server.child);
      await provider.stop();
    }
  },
};
