import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readUsd } from '../../../../client/base/amount.ts';

describe('an amount of money that a person types', () => {
  it('is read to the millionth of a dollar, or not at all', () => {
    const amounts: [string, number][] = [
      ['0.10', 100_000], ['$1,5', 1_500_000], ['1,50', 1_500_000], ['$ 2', 2_000_000], ['0.000001', 1], ['0,0001', 100], ['1.500', 1_500_000],
      ['1,000,000', 1_000_000_000_000], ['1,234.56', 1_234_560_000], [' 0 ', 0],
    ];
    for (const [text, amount] of amounts) assert.equal(readUsd(text), amount, text);
    for (const text of ['0.0000001', '-1', 'a lot', '', '$', '1e9', '0x10', '1,50,000', '1.500,00', '1,000,00', '1234567890']) assert.equal(typeof readUsd(text), 'string', text);
  });

  it('is not guessed where a comma could stand for thousands or for cents', () => {
    assert.equal(readUsd('1,500'), 'Write 1500 or 1.500.');
    assert.equal(readUsd('$10,250'), 'Write 10250 or 10.250.');
    assert.equal(readUsd('0,250'), 250_000, 'no thousands begin with a zero');
  });
});
