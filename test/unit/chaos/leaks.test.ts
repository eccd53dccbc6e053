import assert from 'node:assert/strict';
import { it } from 'node:test';
import { leakViolations } from '../../chaos/leaks.ts';
import type { RouterHoldings } from '../../chaos/router.ts';

const held: RouterHoldings = {
  objects: { timers: 7, emitters: 200, sockets: 3, requests: 4, responses: 0 }, heapUsed: 20e6, external: 5e6, rss: 150e6,
  active: ['PipeWrap', 'TCPServerWrap'], processListeners: 9, openSockets: 4, openFiles: 28,
};
const after = (changes: Partial<RouterHoldings>): string => leakViolations(held, [held, { ...held, ...changes }]).join('\n');

it('whatever a router still holds after its callers have gone is called a leak', () => {
  assert.equal(after({}), '');
  assert.match(after({ openSockets: 5 }), /5 sockets are open/);
  assert.match(after({ openFiles: 29 }), /29 files/);
  assert.match(after({ objects: { ...held.objects, timers: 64 } }), /64 timers are alive/);
  assert.match(after({ objects: { ...held.objects, emitters: 900 } }), /900 emitters/);
  assert.match(after({ objects: { ...held.objects, responses: 20 } }), /20 responses/);
  assert.match(after({ active: [...held.active, 'Timeout'] }), /keep the event loop alive and did not before: Timeout/);
  assert.match(after({ processListeners: 10 }), /10 listeners/);
  assert.match(after({ heapUsed: 40e6 }), /45 MB of live memory, 25 MB/);
  assert.match(after({ rss: 300e6 }), /300 MB resident/);
  assert.deepEqual(leakViolations(held, []), ['nothing was measured after the run']);
});
