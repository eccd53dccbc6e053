import type { TokenUsage } from '../../../../server/api/conversation.ts';
import { leastCachedTokens } from '../../../../server/catalog/cacheLifetimes.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { hitRate, lifetimeMs, policies, SimulatedRouter, start, type Policy, type Scenario, type Totals } from './cacheSimulation.ts';
import type { RecordedRequest, Recording } from './recordedSessions.ts';

export interface RecordedOutcome {
  /** By the place of the session. */
  readonly microUsd: readonly number[];
  /** Requests at another target than the one before in their conversation. */
  readonly switches: readonly number[];
}

/** A beginning of a prompt: the parts before it, and what it adds. Prompts that begin alike share theirs. */
interface Prefix { readonly tokens: number }

/** The beginnings of each prompt, the shortest first; `tokens` counts all parts up to its end. */
function prefixesOf(requests: readonly RecordedRequest[]): Prefix[][] {
  const all: Prefix[][] = [];
  for (const { from, shared, added } of requests) {
    const prefixes = from === -1 ? [] : (all[from] ?? []).slice(0, shared);
    for (const tokens of added) prefixes.push({ tokens: (prefixes.at(-1)?.tokens ?? 0) + tokens });
    all.push(prefixes);
  }
  return all;
}

/** Tokens of the whole prompt of a request. */
export function promptTokens(recording: Recording, request: RecordedRequest): number {
  return prefixesOf(recording.requests)[recording.requests.indexOf(request)]?.at(-1)?.tokens ?? 0;
}

/**
 * Plays a recording at its own times, all sessions at once, with one memory of caches. Providers keep every beginning of a prompt for five minutes
 * after its last use, whichever conversation it is of; what a request leaves is found once its answer has ended.
 */
export function playRecording({ sessions, requests }: Recording, scenario: Scenario, policy: Policy, seed: number): RecordedOutcome {
  const random = seededRandom(seed);
  const chance = seededRandom(seed + 1000);
  const router = new SimulatedRouter(scenario, policy, seed, random);
  const prompts = prefixesOf(requests);
  const caches = new Map<string, Map<Prefix, number>>();
  const homes = new Map<number, string>();
  const lasts = new Map<number, string>();
  const microUsd = sessions.map(() => 0);
  const switches = sessions.map(() => 0);
  let open: { endsAt: number; end: () => void }[] = [];
  for (const [index, { at, took, session, conversation, role, kind, estimated, output }] of requests.entries()) {
    const startedAt = start + at * 1000;
    router.now = startedAt;
    for (const one of open.filter(({ endsAt }) => endsAt <= startedAt).sort((one, other) => one.endsAt - other.endsAt)) one.end();
    open = open.filter(({ endsAt }) => endsAt > startedAt);
    const { plan, chosen } = router.plan({ conversation: String(conversation), estimatedTokens: estimated, purpose: { role, kind, why: 'the recording says so' } }, homes.get(conversation));
    if (!homes.has(conversation)) homes.set(conversation, chosen.name);
    const prefixes = prompts[index] ?? [];
    const prompt = prefixes.at(-1)?.tokens ?? 0;
    const cache = caches.get(chosen.name) ?? new Map<Prefix, number>();
    caches.set(chosen.name, cache);
    const found = chance() < hitRate ? prefixes.findLast(prefix => startedAt - (cache.get(prefix) ?? -Infinity) < lifetimeMs) : undefined;
    const cacheReadTokens = found === undefined || found.tokens < leastCachedTokens ? 0 : found.tokens;
    const usage: TokenUsage = { inputTokens: 0, cacheReadTokens, cacheWriteTokens: prompt - cacheReadTokens, outputTokens: output };
    microUsd[session] = (microUsd[session] ?? 0) + router.charge(chosen, usage);
    const last = lasts.get(conversation);
    if (last !== undefined && last !== chosen.name) switches[session] = (switches[session] ?? 0) + 1;
    lasts.set(conversation, chosen.name);
    open.push({
      endsAt: startedAt + took * 1000,
      end() {
        for (const prefix of prefixes) cache.set(prefix, startedAt);
        // As the server does: of errands and of requests whose caches were not looked at, nothing is kept.
        if (plan.cache !== undefined && plan.cache.errand !== true) router.answered(chosen, plan, { conversation: String(conversation), startedAt, usage, estimatedTokens: estimated, kind });
      },
    });
  }
  return { microUsd, switches };
}

/** A recording, so many times, of one session or of all. */
export function recordedTotals(recording: Recording, scenario: Scenario, runs: number, session?: number): Totals {
  const totals = { microUsd: { aware: 0, blind: 0, never: 0 }, switches: { aware: 0, blind: 0, never: 0 } };
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, value, index) => total + (session === undefined || session === index ? value : 0), 0);
  for (let seed = 1; seed <= runs; seed++) for (const policy of policies) {
    const { microUsd, switches } = playRecording(recording, scenario, policy, seed);
    totals.microUsd[policy] += sum(microUsd);
    totals.switches[policy] += sum(switches);
  }
  return { ...totals, turns: recording.requests.length * runs };
}
