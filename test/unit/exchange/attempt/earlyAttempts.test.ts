import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EarlyAttempts } from '../../../../server/exchange/attempt/earlyAttempts.ts';

describe('attempts before a wait is over', () => {
  it('are made one at a time at each target', () => {
    const early = new EarlyAttempts();
    const place = early.enter('a', 'm', 0);
    assert.ok(place !== undefined);
    assert.equal(early.enter('a', 'm', 1), undefined);
    assert.ok(early.enter('a', 'n', 1) !== undefined, 'another target');
    early.leave(place);
    const next = early.enter('a', 'm', 2);
    assert.ok(next !== undefined);
    early.leave(place);
    assert.equal(early.enter('a', 'm', 3), undefined, 'a place is left once');
  });

  it('are five at first, and then one a second', () => {
    const early = new EarlyAttempts();
    let sent = 0;
    for (let now = 0; now < 10_000; now += 10) {
      const place = early.enter('a', 'm', now);
      if (place === undefined) continue;
      sent += 1;
      early.leave(place);
    }
    assert.ok(sent >= 14 && sent <= 15, `${sent} attempts in ten seconds`);
  });

  it('are free for all once the provider answers well', () => {
    const early = new EarlyAttempts();
    assert.ok(early.enter('a', 'm', 0) !== undefined);
    early.answered('a', 'm');
    assert.ok(early.enter('a', 'm', 1) !== undefined);
  });

  it('are possible after the clock was set back', () => {
    const early = new EarlyAttempts();
    for (let round = 0; round < 5; round += 1) early.leave(early.enter('a', 'm', 1e12) ?? assert.fail());
    assert.equal(early.enter('a', 'm', 1e12), undefined);
    assert.ok(early.enter('a', 'm', 1000) !== undefined);
  });
});
