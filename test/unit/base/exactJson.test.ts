import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { opaqueKeys, parseExact, parseSettled, schemaKeys } from '../../../server/base/exactJson.ts';
import { isObject, parseJson } from '../../../server/base/json.ts';

describe('JSON that is written again', () => {
  for (const number of ['1234567890123456789', '-9223372036854775808', '1.0', '-1.50', '1e3', '1E-7', '-0', '0.1000', '3.14159265358979323846', '1e400']) {
    test(`${number} stays as it is written, wherever it stands`, () => {
      for (const text of [`{"a":${number}}`, `[1,${number},2]`, `{"a":{"b":[${number}]},"c":"1.0"}`]) assert.equal(JSON.stringify(parseExact(text)), text);
      assert.equal(JSON.stringify(parseExact(` {"a" : ${number} }`)), `{"a":${number}}`);
    });
  }

  test('other values are those of JSON.parse', () => {
    const text = '{"a":[1,2.5,-3,true,null,"1.0 1e3 12345678901234567890"],"b":{}}';
    assert.deepEqual(parseExact(text), parseJson(text));
  });

  test('what is no JSON is undefined', () => {
    assert.equal(parseExact('{"a":1.0'), undefined);
    assert.equal(parseExact(''), undefined);
  });

  test('a kept number is no object', () => {
    const parsed = parseExact('{"a":1.0}');
    assert.equal(isObject(parsed) && isObject(parsed.a), false);
  });
});

describe('JSON that is read', () => {
  test('numbers of the protocol are numbers, and those of tools and schemas stay as they are written', () => {
    const parsed = parseSettled('{"temperature":1.0,"list":[2.0],"input":{"id":12345678901234567890},"tools":[{"parameters":{"maximum":9223372036854775807}}]}');
    assert.ok(isObject(parsed));
    assert.equal(parsed.temperature, 1);
    assert.deepEqual(parsed.list, [2]);
    assert.equal(JSON.stringify(parsed), '{"temperature":1,"list":[2],"input":{"id":12345678901234567890},"tools":[{"parameters":{"maximum":9223372036854775807}}]}');
  });

  test('each key of what is the caller\'s own keeps its numbers, in every protocol', () => {
    for (const key of opaqueKeys) {
      const text = `{"a":{"${key}":{"id":9007199254740993,"ratio":1.0}}}`;
      assert.equal(JSON.stringify(parseSettled(text)), text, key);
    }
    for (const key of schemaKeys) assert.ok(opaqueKeys.has(key), key);
  });

  test('a list under the name of an opaque field is read', () => {
    const parsed = parseSettled('{"input":[{"weight":1.0}]}');
    assert.deepEqual(parsed, { input: [{ weight: 1 }] });
  });
});
