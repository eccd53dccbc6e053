import type { Subscription } from '../../base/emitter.ts';
import { Guard } from '../../base/guarded.ts';
import { parseJson } from '../../base/json.ts';
import { isStateAway, type StateScript } from '../../state/stateStore.ts';
import { decisionOf, type EndpointDecision } from '../endpoints/endpointFiles.ts';
import { decidedAt } from '../endpoints/pauses.ts';
import type { ReplicaSources } from './sources.ts';
import type { StoreClock } from './storeClock.ts';

const key = 'decisions';
const channel = 'decisions';
const keptS = 30 * 86_400;
/** Decisions are read this often although no replica said that there are some, in ticks. */
const ticksOfLook = 5;

/** KEYS: decisions. ARGV: seconds, then endpoint, moment and text of each. Tells how many are new, and all that are known. */
const exchangeScript: StateScript = {
  name: 'exchange decisions about endpoints',
  source: `
local new = 0
for i = 2, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if not known or tonumber(string.match(known, '^%d+')) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
    new = new + 1
  end
end
if new > 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {new, redis.call('HVALS', KEYS[1])}`,
};

/**
 * What people decided about endpoints, in all replicas: each keeps it in its own data folder, and the latest decision about an endpoint
 * holds everywhere. What is decided while the store is away is exchanged when it is back.
 */
export class DecisionDesk {
  readonly #sources: ReplicaSources;
  readonly #clock: StoreClock;
  readonly #guard: Guard;
  readonly #ends: Subscription[];
  #isRunning = false;
  #isDue = false;
  #ticks = 0;

  constructor(sources: ReplicaSources, clock: StoreClock) {
    const { store, log } = sources;
    this.#sources = sources;
    this.#clock = clock;
    this.#guard = new Guard('The decisions of people at other replicas', log);
    this.#ends = [
      store.subscribe(channel, by => { if (by !== store.replica) this.exchange(); }),
      store.changes(change => { if (change === 'up' || change === 'subscribed') this.exchange(); }),
    ];
    this.exchange();
  }

  /** About once a second. */
  tick(): void {
    this.#ticks = (this.#ticks + 1) % ticksOfLook;
    if (this.#ticks === 0) this.exchange();
  }

  /** Tells what is known here and learns what is known elsewhere, in the background. */
  exchange(): void {
    if (this.#isRunning || !this.#sources.store.isUp) {
      this.#isDue = true;
      return;
    }
    this.#isRunning = true;
    this.#guard.start(async () => {
      try {
        do {
          this.#isDue = false;
          await this.#exchange();
        } while (this.#isDue);
      } catch (error) {
        if (!isStateAway(error)) throw error;
      } finally {
        this.#isRunning = false;
      }
    });
  }

  close(): void {
    for (const end of this.#ends) end.dispose();
  }

  async #exchange(): Promise<void> {
    const { store, pauses } = this.#sources;
    const told = pauses.decisions.flatMap(decision => [decision.endpoint, this.#clock.toStore(decidedAt(decision)), JSON.stringify(moved(decision, at => this.#clock.toStore(at)))]);
    const reply = await store.run(exchangeScript, [key], [keptS, ...told]);
    const [isNew, texts] = Array.isArray(reply) ? reply : [];
    if (Number(isNew) > 0) await store.publish(channel, store.replica);
    const known = Array.isArray(texts) ? texts : [];
    pauses.learn(known.flatMap((text): EndpointDecision[] => {
      const decision = decisionOf(parseJson(String(text).replace(/^\d+ /, '')));
      return decision?.id === undefined ? [] : [moved(decision, at => this.#clock.fromStore(at))];
    }));
  }
}

/** A decision by another clock. */
function moved(decision: EndpointDecision, to: (at: number) => number): EndpointDecision {
  const { pause, resetAt, decidedAt: at } = decision;
  return {
    ...decision,
    ...(pause === undefined ? {} : { pause: { since: to(pause.since), ...(pause.until === undefined ? {} : { until: to(pause.until) }) } }),
    ...(resetAt === undefined ? {} : { resetAt: to(resetAt) }), ...(at === undefined ? {} : { decidedAt: to(at) }),
  };
}
