import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLoop, readHops } from '../../../server/base/hops.ts';

describe('the Waybills that a request has passed', () => {
  test('are a loop where this one is among them, or where they are too many', () => {
    assert.equal(isLoop('a,b', 'b'), true);
    assert.equal(isLoop('a,b', 'c'), false);
    assert.equal(isLoop('ab', 'b'), false, 'a name within another one is none');
    assert.equal(isLoop(Array.from({ length: 16 }, (_, index) => `w${String(index)}`).join(','), 'x'), true);
  });

  test('are none in a header of another form', () => {
    for (const hops of ['', ',', 'a,,b', 'a b', 'a\r\nb', `${'a,'.repeat(900)}a`, 'x'.repeat(33), ['a', 'b'], undefined]) {
      assert.equal(readHops(hops), undefined);
      if (hops !== undefined) assert.equal(isLoop(hops, 'a'), false);
    }
    assert.equal(readHops('a,b-_1'), 'a,b-_1');
  });
});
