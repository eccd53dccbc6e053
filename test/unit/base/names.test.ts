import assert from 'node:assert/strict';
import { validateHeaderValue } from 'node:http';
import { describe, test } from 'node:test';
import { fitsAsModelName, headerValue, keptCaller, keptLabel, modelNameProblem } from '../../../server/base/names.ts';
import { passedHeaders } from '../../../server/exchange/answer/answerHeaders.ts';
import { callerOf } from '../../../server/inbound/http/request/callerOf.ts';

const odd: readonly string[] = ['a\r\nset-cookie: x', 'a\u0000b', 'a\ud800', '\u001b[31mred', 'ключ', '\u2028', '🙂'.repeat(100_000), 'x'.repeat(1_000_000), '\ufeff', ''];

describe('a model name', () => {
  test('has at most 300 characters and no control characters or broken surrogates', () => {
    for (const name of ['m', 'a/b:c@d', 'модель', 'x'.repeat(300)]) assert.equal(modelNameProblem(name), undefined, name);
    for (const name of ['', 'x'.repeat(301), 'x'.repeat(1_000_000), 'a\nb', 'a\ud800', 'a\u0085b']) {
      assert.equal(fitsAsModelName(name), false);
      const problem = modelNameProblem(name) ?? '';
      assert.match(problem, /^The .*set "model" to a route, a model or endpoint\/model\.$/);
      assert.ok(problem.length < 200, problem);
    }
  });
});

describe('a label', () => {
  test('stays as it is up to 100 characters, and is absent when it is empty', () => {
    for (const label of ['chat', 'ordner ü', 'x'.repeat(100)]) assert.equal(keptLabel(label), label);
    assert.deepEqual([keptLabel(''), keptLabel(undefined)], [undefined, undefined]);
  });

  test('of any length or content becomes one line of at most 100 characters', () => {
    for (const label of odd) {
      const kept = keptLabel(label) ?? '';
      assert.ok(kept.length <= 100 && kept.isWellFormed() && !/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(kept), JSON.stringify(kept));
    }
  });

  test('that is too long stays another one than one that differs at its end only', () => {
    const long = 'x'.repeat(10_000);
    assert.notEqual(keptLabel(`${long}a`), keptLabel(`${long}b`));
    assert.equal(keptLabel(`${long}a`), keptLabel(`${long}a`));
  });

  test('of each kind is bounded, whoever gives it', () => {
    const long = 'x'.repeat(1_000_000);
    const callers = [
      keptCaller({ tool: long, workspace: long, conversation: long, purpose: long }),
      callerOf({ 'user-agent': `${long}/1`, 'x-waybill-workspace': long, 'session-id': long, 'x-waybill-purpose': long }),
      callerOf({ 'x-waybill-tool': long }),
    ];
    for (const caller of callers) for (const label of Object.values(caller)) assert.ok(label === undefined || label.length <= 100);
    assert.deepEqual([keptCaller({ tool: '' }).tool, callerOf({ 'user-agent': '/x' }).tool, callerOf({}).tool], ['unknown', 'http', 'http']);
  });
});

describe('a header of an answer', () => {
  test('is valid and bounded, whatever it is made of', () => {
    for (const text of odd) {
      const value = headerValue(text);
      assert.doesNotThrow(() => validateHeaderValue('x-any', value), JSON.stringify(text.slice(0, 20)));
      assert.ok(value.length <= 512);
    }
  });

  test('of a provider is passed on valid and bounded, in length and number', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-ratelimit-${'abcdefghij'[index % 10]}${'a'.repeat(index)}`, odd[index % odd.length]]));
    const passed = passedHeaders({ 'x-request-id': odd[0], 'retry-after': ['1', '2'], ...many });
    assert.equal(Object.keys(passed).length, 50);
    assert.equal(passed['retry-after'], '1, 2');
    for (const [name, value] of Object.entries(passed)) {
      assert.doesNotThrow(() => validateHeaderValue(name, value));
      assert.ok(value.length <= 512);
    }
  });
});
