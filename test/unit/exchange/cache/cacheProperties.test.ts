import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Repair } from '../../../../server/protocols/repairs/repair.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { cachedRoute, cacheUnderTest, textOf, type Asked } from './cacheFakes.ts';

/** What decides about an answer, as a test sees it. */
interface Told { tenant: string | undefined; tool: string; workspace: string | undefined; route: string; content: string; limit: number; policy: number; left: number }

/** What targets have refused, each of which changes what is sent there. */
const refusals: readonly Repair[] = [{ kind: 'drop', name: 'seed' }, { kind: 'rename', name: 'max_tokens', to: 'max_completion_tokens' }, { kind: 'output-limit', most: 15 }];

describe('kept and shared answers', () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`no answer crosses a tenant, a route, a target, a body, what targets refuse or a policy (seed ${String(seed)})`, async t => {
      const random = seededRandom(seed);
      const cache = cacheUnderTest(t);
      let policy = 0;
      const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
      const configure = (): void => {
        policy += 1;
        cache.configure({ one: cachedRoute({ maxAgeMs: 60_000, maxBytes: 4096 }), two: cachedRoute({ temperatures: 'any' }, ['b/m']), [`p${String(policy)}`]: { targets: ['a/m'] } });
      };
      configure();
      /** Which of the refusals is known of all targets; 0: none. */
      let known = 0;
      const history: number[] = [0];
      const learn = (next: number): void => {
        for (const name of ['a', 'b']) {
          const resolved = cache.services.routeTable().target(name, 'm') ?? assert.fail();
          const place = { endpoint: resolved.endpoint, form: 'openai-chat', model: 'm' } as const;
          if (known > 0) cache.services.repairs.forget(place, [refusals[known - 1] ?? assert.fail()], cache.clock.now);
          if (next > 0) cache.services.repairs.learn(place, [refusals[next - 1] ?? assert.fail()], cache.clock.now);
        }
        known = next;
        history.push(known);
      };
      const running: { asked: Asked; told: Told; from: number; to: number }[] = [];
      /** Each answer begins with who asked for it. */
      const answers = new Map<number, string>();
      let calls = 0;
      let hits = 0;
      const finish = (call: number, fails: boolean): void => {
        const scripted = cache.transport.call(call);
        if (scripted.isAborted) return;
        if (fails) scripted.breaks();
        else {
          scripted.says(answers.get(call) ?? '');
          scripted.ends();
        }
      };
      const open = new Set<number>();
      for (let turn = 0; turn < 400; turn += 1) {
        const told: Told = { tenant: pick([undefined, 'cline', 'codex']), tool: pick(['curl', 'sdk']), workspace: pick([undefined, 'shop']), route: pick(['one', 'two']), content: pick(['Hi', 'Ho']), limit: pick([10, 20]), policy, left: known };
        const from = history.length - 1;
        const asked = cache.ask({
          tenant: told.tenant, caller: { tool: told.tool, workspace: told.workspace }, requestedModel: told.route, body: { model: told.route, max_tokens: told.limit, seed: 7, messages: [{ role: 'user', content: told.content }] },
        });
        running.push({ asked, told, from, to: Infinity });
        // A call that this request made, or that a failure made for those who shared one, answers for one request only.
        while (calls < cache.transport.calls.length) {
          calls += 1;
          answers.set(calls, JSON.stringify(told));
          open.add(calls);
        }
        cache.clock.now += Math.floor(random() * 5000);
        const ended = pick([...open, undefined]);
        if (ended !== undefined) {
          open.delete(ended);
          finish(ended, random() < 0.2);
          while (calls < cache.transport.calls.length) {
            calls += 1;
            answers.set(calls, JSON.stringify({ ...JSON.parse(answers.get(ended) ?? '{}') as Told, left: known }));
            open.add(calls);
          }
        }
        if (random() < 0.1) pick(running).asked.exchange.cancel();
        if (random() < 0.03) configure();
        if (random() < 0.05) learn(pick([0, 1, 2, 3]));
        for (const one of running) if (one.to === Infinity && one.asked.exchange.receipt.outcome !== 'open') one.to = history.length;
      }
      for (const call of open) finish(call, false);
      await cache.priced();
      for (const { asked: { exchange, sink }, told, from, to } of running) {
        const { receipt } = exchange;
        const text = textOf(sink);
        if (receipt.cache?.state !== 'hit' && receipt.cache?.state !== 'shared') continue;
        hits += 1;
        if (text === '') continue;
        const { left } = JSON.parse(text) as Told;
        assert.equal(text, JSON.stringify({ ...told, left }), receipt.id);
        // A kept answer is one of the very body that would be sent; a call that is shared may learn more on its way.
        if (receipt.cache.state === 'hit') assert.ok(history.slice(from, to).includes(left), `${receipt.id}: ${String(left)} is none of ${history.slice(from, to).join(' ')}`);
        // A target that failed before may have cost something.
        if (receipt.attempts.length === 0) assert.equal(receipt.cost.microUsd, 0);
        assert.equal(told.route === 'two' ? 'b/m' : receipt.target, receipt.target);
      }
      assert.ok(hits > 20, `${String(hits)} answers came from others`);
      for (const status of cache.services.responses.statuses()) assert.ok(status.bytes <= status.maxBytes);
    });
  }
});
