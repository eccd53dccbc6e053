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

test('an id holds its moment and its number in base 36, all digits of both', () => {
  const id = exchangeIds();
  for (const now of [0, 35, 46_655, 46_656, 1_700_000_000_000, 1_700_000_046_700, 1_700_000_000_001]) {
    assert.equal(id(now).slice(3, 12), now.toString(36).padStart(9, '0'), String(now));
  }
  const many = Array.from({ length: 3_000 }, () => id(1_700_000_000_000));
  assert.deepEqual(many, many.toSorted());
  assert.deepEqual(many.map(one => Number.parseInt(one.slice(12, 15), 36)), many.map((_one, index) => index + 8));
});
