import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../support/seededRandom.ts';
import { cachedRoute, cacheUnderTest, textOf, type Asked } from './cacheFakes.ts';

/** What decides about an answer, as a test sees it. */
interface Told { tenant: string | undefined; tool: string; workspace: string | undefined; route: string; content: string; limit: number; policy: number }

describe('kept and shared answers', () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`no answer crosses a tenant, a route, a target, a body or a policy (seed ${String(seed)})`, async t => {
      const random = seededRandom(seed);
      const cache = cacheUnderTest(t);
      let policy = 0;
      const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
      const configure = (): void => {
        policy += 1;
        cache.configure({ one: cachedRoute({ maxAgeMs: 60_000, maxBytes: 4096 }), two: cachedRoute({ temperatures: 'any' }, ['b/m']), [`p${String(policy)}`]: { targets: ['a/m'] } });
      };
      configure();
      const running: { asked: Asked; told: Told; call: number | undefined }[] = [];
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
        const told: Told = { tenant: pick([undefined, 'cline', 'codex']), tool: pick(['curl', 'sdk']), workspace: pick([undefined, 'shop']), route: pick(['one', 'two']), content: pick(['Hi', 'Ho']), limit: pick([10, 20]), policy };
        const asked = cache.ask({
          tenant: told.tenant, caller: { tool: told.tool, workspace: told.workspace }, requestedModel: told.route, body: { model: told.route, max_tokens: told.limit, messages: [{ role: 'user', content: told.content }] },
        });
        running.push({ asked, told, call: undefined });
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
            answers.set(calls, answers.get(ended) ?? '');
            open.add(calls);
          }
        }
        if (random() < 0.1) pick(running).asked.exchange.cancel();
        if (random() < 0.03) configure();
      }
      for (const call of open) finish(call, false);
      await cache.priced();
      for (const { asked: { exchange, sink }, told } of running) {
        const { receipt } = exchange;
        const text = textOf(sink);
        if (receipt.cache?.state !== 'hit' && receipt.cache?.state !== 'shared') continue;
        hits += 1;
        if (text === '') continue;
        assert.equal(text, JSON.stringify(told), receipt.id);
        assert.equal(receipt.cost.microUsd, 0);
        assert.equal(told.route === 'two' ? 'b/m' : receipt.target, receipt.target);
      }
      assert.ok(hits > 20, `${String(hits)} answers came from others`);
      for (const status of cache.services.responses.statuses()) assert.ok(status.bytes <= status.maxBytes);
    });
  }
});
