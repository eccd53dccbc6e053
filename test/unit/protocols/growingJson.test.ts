import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../../server/base/json.ts';
import { GrowingJson } from '../../../server/protocols/growingJson.ts';

test('a text that grows letter by letter is whole exactly when it can be parsed', () => {
  for (const text of ['{}', '{"a":"}\\"]","b":[1,{"c":null}]}  ', '[1]x', '"a\\"b"', '12 ', 'null', '}{', '{"a":1}{"b":2}', '{a}', ' {"\\\\":"\\\\"} ', '']) {
    const json = new GrowingJson();
    let whole = '';
    for (const letter of text) {
      whole += letter;
      json.add(letter);
      assert.equal(json.isWhole(whole), parseJson(whole) !== undefined, whole);
    }
  }
});
