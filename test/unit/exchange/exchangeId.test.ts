import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchangeIds } from '../../../server/exchange/exchangeId.ts';

test('an id begins with the product\'s short name, and later ids sort after earlier ones', () => {
  const id = exchangeIds();
  const [first, second] = [id(1_700_000_000_000), id(1_700_000_000_001)];
  assert.match(first, /^wb_[0-9a-z]{24}$/);
  assert.ok(first < second);
});

test('ids of the same moment differ, within one generator and between two', () => {
  const [one, other] = [exchangeIds(), exchangeIds()];
  assert.equal(new Set([one(1), one(1), other(1), other(1)]).size, 4);
});
