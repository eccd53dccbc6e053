import type { Bench } from '../measure.ts';
import type { ConfiguredServer } from '../subjects.ts';
import { upstreamModel } from '../traffic.ts';
import type { BenchPostgres, BenchRedis } from './engines.ts';

/** The engines that are there. */
export interface Engines { redis?: BenchRedis | undefined; postgres?: BenchPostgres | undefined }

/** What a server shares with others. Servers with the same prefix in Redis are replicas of each other. */
export interface Sharing { prefix?: string | undefined; ledger?: boolean; metrics?: boolean }

/** A route, an endpoint with limits, and a budget, none of which is ever reached: with Redis each attempt takes and gives back of all of them there. */
export async function startReplica({ starter, direct }: Bench, { redis, postgres }: Engines, name: string, { prefix, ledger = false, metrics = false }: Sharing): Promise<ConfiguredServer> {
  const model = `${upstreamModel}: { upstream: ${upstreamModel}, prices: { inputPerMTok: 0.42, outputPerMTok: 0.84 } }`;
  const limits = 'limits: { requestsPerMinute: 10000000, tokensPerMinute: 1000000000000, concurrency: 100000 }';
  return starter.startWaybill([
    'endpoints:', `  upstream: { provider: openai-compatible, baseUrl: "http://127.0.0.1:${direct.port}/v1", keys: ["bench-key"], models: { ${model} }, ${limits} }`,
    'routes:', `  bench: { targets: [upstream/${upstreamModel}] }`, 'budgets:', '  all: { limitUsd: 1000000, period: month }',
    ...(redis === undefined || prefix === undefined ? [] : ['state:', `  redis: { url: "\${BENCH_REDIS}", prefix: ${prefix}, commandTimeoutMs: 1000 }`]),
    ...(postgres === undefined || !ledger ? [] : ['ledger:', '  postgres: "${BENCH_POSTGRES}"']),
    ...(metrics ? ['monitoring:', '  metrics: {}'] : []),
  ], name, { BENCH_REDIS: redis?.url ?? '', BENCH_POSTGRES: postgres?.url ?? '' });
}
