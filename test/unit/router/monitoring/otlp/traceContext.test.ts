import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isInShare, traceParentOf, traceParentText } from '../../../../../server/router/monitoring/otlp/traceContext.ts';
import { seededRandom } from '../../../support/seededRandom.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('the trace of a caller', () => {
  test('is taken over with its flag and its state', () => {
    assert.deepEqual(traceParentOf({ traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE,' }), { traceId, spanId, isSampled: true, state: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE' });
    assert.equal(traceParentOf({ traceparent: `00-${traceId}-${spanId}-00` })?.isSampled, false);
    assert.equal(traceParentOf({ traceparent: `00-${traceId}-${spanId}-03` })?.isSampled, true, 'other flags change nothing');
    assert.equal(traceParentOf({ traceparent: `cc-${traceId}-${spanId}-01-what-the-future-will-be` })?.traceId, traceId, 'a later version may have more');
    assert.equal(traceParentText(traceId, spanId, false), `00-${traceId}-${spanId}-00`);
  });

  test('is none where the header is not valid', () => {
    for (const traceparent of [
      undefined, '', traceId, `ff-${traceId}-${spanId}-01`, `00-${'0'.repeat(32)}-${spanId}-01`, `00-${traceId}-${'0'.repeat(16)}-01`, `00-${traceId.toUpperCase()}-${spanId}-01`,
      `00-${traceId}-${spanId}-01-more`, `00-${traceId}-${spanId}-1`, `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`, `cc-${traceId}-${spanId}-01.more`, `cc-${traceId}-${spanId}-01-${'a'.repeat(2000)}`,
    ]) assert.equal(traceParentOf({ traceparent }), undefined, String(traceparent));
    assert.equal(traceParentOf(undefined), undefined);
  });

  test('has no state where one member of it is wrong', () => {
    for (const tracestate of ['', 'A=1', 'a', 'a=b=c', 'a=\u00e9', 'a=x\r\nb: c', Array.from({ length: 33 }, (_, index) => `k${String(index)}=v`).join(','), `a=${'x'.repeat(600)}`]) {
      assert.deepEqual(traceParentOf({ traceparent: `00-${traceId}-${spanId}-01`, tracestate }), { traceId, spanId, isSampled: true, state: undefined }, tracestate);
    }
    assert.equal(traceParentOf({ traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'tenant@vendor=x/y' })?.state, 'tenant@vendor=x/y');
  });
});

describe('a share of traces', () => {
  test('has so many of them, and of one trace always the same answer', () => {
    const random = seededRandom(7);
    const ids = Array.from({ length: 4000 }, () => Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join(''));
    const taken = ids.filter(id => isInShare(id, 0.25));
    assert.ok(taken.length > 900 && taken.length < 1100, String(taken.length));
    assert.deepEqual(ids.filter(id => isInShare(id, 0.25)), taken);
    assert.ok(ids.every(id => isInShare(id, 1)) && !ids.some(id => isInShare(id, 0)));
  });
});
