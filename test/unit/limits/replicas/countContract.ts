import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TakenOfAllowance } from '../../../../server/ledger/allowanceStore.ts';
import type { LimitClaim } from '../../../../server/limits/limitClaims.ts';
import type { Allowance } from '../../../../server/routing/caps/allowance.ts';
import { budget, claim, until } from './replicaServers.ts';

/** What a request took, or why it may not be sent. */
export type Entered =
  { readonly admitted: true; /** @param tokens that it used; absent: not known */ end(tokens?: number): void; /** It was not sent. */ unsent(): void }
  | { readonly admitted: false; readonly claim: LimitClaim | undefined; readonly reason: string; readonly retryAt: number };

/** One of several servers that count together, in whichever store. */
export interface ContractServer {
  enter(claims: readonly LimitClaim[]): Promise<Entered>;
  /** @returns what ends it with its cost (undefined: unknown), or undefined where it does not fit */
  spend(allowances: readonly Allowance[], microUsd: number): Promise<((costMicroUsd: number | undefined) => void) | undefined>;
  /** More is allowed by a person. */
  allow(allowances: readonly Allowance[], microUsd: number): void;
  taken(key: string): Promise<TakenOfAllowance>;
  /** What it does once a second beside requests. */
  tick(): Promise<void>;
  /** It ends in order. */
  close(): Promise<void>;
}

/**
 * What every store of limits, requests at once and budgets keeps, whichever of the servers asks.
 * @param make as many servers that count together and know of nothing that was counted before
 */
export function countContract(name: string, make: (count: number) => Promise<ContractServer[]>, options: { skip: string | false } = { skip: false }): void {
  const two = async (): Promise<[ContractServer, ContractServer]> => {
    const [one, other] = await make(2);
    return one === undefined || other === undefined ? assert.fail('There are no two servers.') : [one, other];
  };
  const admitted = async (server: ContractServer, ...claims: LimitClaim[]): Promise<Entered & { admitted: true }> => {
    const entered = await server.enter(claims);
    return entered.admitted ? entered : assert.fail(entered.reason);
  };
  const refused = async (server: ContractServer, ...claims: LimitClaim[]): Promise<Entered & { admitted: false }> => {
    const entered = await server.enter(claims);
    return entered.admitted ? assert.fail('It is admitted.') : entered;
  };
  const fits = async (server: ContractServer, ...claims: LimitClaim[]): Promise<boolean> => (await server.enter(claims)).admitted;

  describe(`limits that servers share ${name}`, options, () => {
    it('admit no more requests in a minute than the limit, with all of them at once', async () => {
      const servers = await make(3);
      const answers = await Promise.all(servers.flatMap(server => Array.from({ length: 60 }, () => server.enter([claim('a', { requestsPerMinute: 50 })]))));
      assert.equal(answers.filter(one => one.admitted).length, 50);
      const found = answers.find(one => !one.admitted);
      assert.ok(found?.admitted === false);
      assert.match(found.reason, /^its own limit of 50 requests a minute is used up for another \d+ s$/);
      assert.ok(found.retryAt > Date.now());
    });

    it('admit no more tokens in a minute than the limit', async () => {
      const servers = await make(3);
      const answers = await Promise.all(servers.flatMap(server => Array.from({ length: 10 }, () => server.enter([claim('a', { tokensPerMinute: 1_000 }, 90)]))));
      assert.equal(answers.filter(one => one.admitted).length, 11);
      assert.match((await refused(servers[0] ?? assert.fail(), claim('a', { tokensPerMinute: 1_000 }, 90))).reason, /^its own limit of 1,000 tokens a minute is used up for another \d+ s$/);
    });

    it('take requests and tokens of all limits together, or nothing', async () => {
      const [one, other] = await two();
      const [ofEndpoint, ofKey] = [claim('a', { requestsPerMinute: 2 }, 80), claim('a/key', { tokensPerMinute: 100 }, 80)];
      await admitted(one, ofEndpoint, ofKey);
      assert.equal((await refused(other, ofEndpoint, ofKey)).claim?.scope, 'a/key');
      await admitted(other, ofEndpoint);
      assert.equal(await fits(other, ofEndpoint), false, 'the refused request took nothing of the endpoint, and this one is the third');
    });

    it('give back tokens that were not used, and requests that were not sent', async () => {
      const [one, other] = await two();
      const tokens = claim('a', { tokensPerMinute: 1_000 }, 900);
      const first = await admitted(one, tokens);
      await refused(other, tokens);
      first.end(100);
      await until('the tokens are back', () => fits(other, tokens));
      const only = claim('b', { requestsPerMinute: 1 });
      const unsent = await admitted(one, only);
      await refused(other, only);
      unsent.unsent();
      await until('the request is back', () => fits(other, only));
    });

    it('count what was estimated where nobody knows what was used', async () => {
      const [one, other] = await two();
      (await admitted(one, claim('a', { tokensPerMinute: 1_000, concurrency: 1 }, 900))).end();
      await until('it has ended', () => fits(other, claim('a', { tokensPerMinute: 1_000, concurrency: 1 }, 100)));
      assert.equal(await fits(one, claim('a', { tokensPerMinute: 1_000 }, 1)), false);
    });

    it('admit a request that is larger than the limit where nothing else was used', async () => {
      const [one, other] = await two();
      await admitted(one, claim('a', { tokensPerMinute: 10 }, 50));
      await refused(other, claim('a', { tokensPerMinute: 10 }, 1));
    });

    it('run no more requests at once than the limit, and give a free place to whoever asks next', async () => {
      const servers = await make(3);
      const atOnce = claim('a', { concurrency: 2 });
      const entered = (await Promise.all(servers.map(server => server.enter([atOnce])))).filter(one => one.admitted);
      assert.equal(entered.length, 2);
      for (const server of servers) assert.equal((await refused(server, atOnce)).reason, 'its own limit of 2 requests at once is reached');
      entered[0]?.end();
      await until('one more fits', () => fits(servers[2] ?? assert.fail(), atOnce));
      await refused(servers[0] ?? assert.fail(), atOnce);
    });

    it('keep what a server sent that has ended, and free its places', async () => {
      const [one, other] = await two();
      const both = claim('a', { requestsPerMinute: 3, concurrency: 2 });
      await admitted(one, both);
      await admitted(one, both);
      await refused(other, both);
      await one.close();
      // With the next second of another server at the latest.
      await until('a place is free', async () => {
        await other.tick();
        return fits(other, both);
      });
      assert.match((await refused(other, both)).reason, /^its own limit of 3 requests a minute is used up/);
    });
  });

  describe(`budgets that servers share ${name}`, options, () => {
    it('are passed by no request of any server, and count what requests cost', async () => {
      const servers = await make(3);
      const daily = budget('daily', 1);
      const ends = (await Promise.all(servers.flatMap(server => Array.from({ length: 10 }, () => server.spend([daily], 100_000))))).filter(end => end !== undefined);
      assert.equal(ends.length, 10, 'ten times ten cents');
      const shown = async (): Promise<unknown> => servers[1]?.taken(daily.key);
      assert.deepEqual(await shown(), { used: 1_000_000, reserved: 1_000_000, unknown: 0, extra: 0 });
      ends.forEach((end, index) => { end(index === 0 ? undefined : 50_000); });
      await until('all are told', async () => (await servers[1]?.taken(daily.key))?.reserved === 0);
      assert.deepEqual(await shown(), { used: 9 * 50_000 + 100_000, reserved: 0, unknown: 100_000, extra: 0 }, 'what nobody knows counts as was expected');
    });

    it('are all taken or none, and soft ones stop nothing', async () => {
      const [one, other] = await two();
      const [daily, team, soft] = [budget('daily', 10), budget('team', 1), budget('soft', 0.1, false)];
      assert.notEqual(await one.spend([daily, team, soft], 900_000), undefined);
      assert.equal(await other.spend([daily, team, soft], 200_000), undefined);
      for (const { key } of [daily, team, soft]) assert.equal((await other.taken(key)).used, 900_000);
      assert.notEqual(await other.spend([daily, soft], 200_000), undefined);
    });

    it('have more where a person allows more at any server', async () => {
      const [one, other] = await two();
      const daily = budget('daily', 1);
      await one.spend([daily], 900_000);
      one.allow([daily], 1_000_000);
      await until('the other one knows', async () => (await other.taken(daily.key)).extra === 1_000_000);
      assert.notEqual(await other.spend([daily], 1_000_000), undefined);
      assert.equal(await other.spend([daily], 200_000), undefined);
    });

    it('keep what was spent by a server that has ended', async () => {
      const [one, other] = await two();
      const daily = budget('daily', 1);
      (await one.spend([daily], 300_000))?.(250_000);
      await one.close();
      await until('it is told', async () => { const { used, reserved } = await other.taken(daily.key); return used === 250_000 && reserved === 0; });
      assert.equal(await other.spend([daily], 800_000), undefined);
      assert.notEqual(await other.spend([daily], 750_000), undefined);
    });
  });
}
