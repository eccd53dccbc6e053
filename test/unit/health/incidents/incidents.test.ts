import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answersText, causesText, extraText, incidentsMarkdown, incidentsVerdict, lengthText, type Incident } from '../../../../server/api/reports/incidents.ts';
import type { FailureClass } from '../../../../server/api/failure.ts';
import type { Attempt } from '../../../../server/api/receipt.ts';
import { IncidentBook, type ExtraCost } from '../../../../server/health/incidents/incidents.ts';
import type { UsedExchange } from '../../../../server/ledger/usedExchange.ts';
import { anAttempt, noon } from '../../ledger/receipts.ts';

const minute = 60_000;
let ids = 0;

function attempt(endpoint: string, at: number, failureClass?: FailureClass, more: Partial<Attempt> = {}): Attempt {
  return { ...anAttempt(), endpoint, target: `${endpoint}/m`, model: 'm', startedAt: at - 10, totalMs: 10, outcome: failureClass === undefined ? 'ok' : 'failed', failureClass, role: undefined, drill: undefined, status: undefined, message: undefined, ...more };
}

/** An exchange with its attempts; the last one answers where it is `ok`. */
function exchange(...attempts: Attempt[]): UsedExchange {
  const last = attempts.at(-1);
  const isAnswered = last?.outcome === 'ok';
  return { id: `wb_${String(ids += 1)}`, protocol: 'openai-chat', stream: false, caller: { tool: 'http' }, startedAt: attempts[0]?.startedAt ?? noon, totalMs: 20, outcome: isAnswered ? 'ok' : 'failed', ...(isAnswered ? { target: last.target } : {}), requestedModel: 'm', attempts, unreadable: 0 };
}

function found(exchanges: UsedExchange[], probes: { endpoint: string; at: number; ok: boolean; failureClass?: FailureClass }[] = [], extra: ExtraCost = () => ({ microUsd: 0, estimated: false })): Incident[] {
  const book = new IncidentBook(extra);
  for (const one of exchanges) book.addExchange(one);
  for (const probe of probes) book.addProbe({ kind: 'probe', ...probe });
  return book.incidents();
}

describe('an incident', () => {
  it('lasts from the first failure to the next answer, and has who answered instead', () => {
    const [incident, ...others] = found([
      exchange(attempt('north', noon, 'rate-limit', { status: 429 }), attempt('south', noon + 20)),
      exchange(attempt('north', noon + 5_000, 'rate-limit', { status: 429 }), attempt('south', noon + 5_020)),
      exchange(attempt('north', noon + 6_000, 'timeout')),
      exchange(attempt('north', noon + 12_000)),
    ]);
    assert.deepEqual(others, []);
    assert.deepEqual([incident?.endpoint, incident?.from, incident?.until, incident?.requests, incident?.unanswered], ['north', noon, noon + 12_000, 3, 1]);
    assert.deepEqual(incident?.answeredBy, [{ endpoint: 'south', requests: 2 }]);
    assert.equal(causesText(incident), 'rate limited (429) 2 times, timed out');
    assert.equal(lengthText(incident), 'for 12 s');
    assert.equal(answersText(incident), '3 requests, answered by south (2), 1 unanswered');
    assert.deepEqual(incident.touched.map(({ answeredBy }) => answeredBy), [undefined, 'south/m', 'south/m'], 'the newest first');
  });

  it('goes on where the endpoint fails again within two minutes, and is another one later', () => {
    const failing = (at: number): UsedExchange => exchange(attempt('north', at, 'server'));
    const well = (at: number): UsedExchange => exchange(attempt('north', at));
    assert.equal(found([failing(noon), well(noon + minute), failing(noon + 2.5 * minute), well(noon + 3 * minute)]).length, 1);
    const two = found([failing(noon), well(noon + minute), failing(noon + 4 * minute), well(noon + 5 * minute)]);
    assert.deepEqual(two.map(({ from, until }) => [from, until]), [[noon + 4 * minute, noon + 5 * minute], [noon, noon + minute]]);
    assert.deepEqual(found([failing(noon), failing(noon + 40 * minute)]).map(({ until }) => until), [undefined, undefined], 'nothing shows that it answered in between');
  });

  it('is of the latest time where there is more than is looked at, whatever was taken in first', () => {
    const book = new IncidentBook(() => ({ microUsd: 0, estimated: false }), 4);
    for (const at of [noon + 50 * minute, noon + 100 * minute]) book.addProbe({ kind: 'probe', endpoint: 'south', at, ok: false, failureClass: 'network' });
    for (const at of [noon, noon + minute, noon + 2 * minute]) book.addExchange(exchange(attempt('north', at, 'server')));
    assert.deepEqual(book.incidents().map(({ endpoint, from }) => [endpoint, from]), [['south', noon + 100 * minute], ['south', noon + 50 * minute]]);
  });

  it('does not count what is no trouble of the endpoint', () => {
    const classes: FailureClass[] = ['context-overflow', 'content-policy', 'model-not-found', 'bad-request', 'local', 'cancelled'];
    assert.deepEqual(found(classes.map(one => exchange(attempt('north', noon, one)))), []);
    assert.deepEqual(found([exchange(attempt('north', noon, 'server', { drill: true }))]), []);
    assert.deepEqual(found([exchange(attempt('north', noon, 'server', { role: 'shadow' }))]), []);
  });

  it('can be one that only probes noticed; a probe ends no trouble with prompts', () => {
    const [quiet] = found([], [{ endpoint: 'north', at: noon, ok: false, failureClass: 'network' }, { endpoint: 'north', at: noon + minute, ok: true }]);
    assert.deepEqual([quiet?.requests, quiet?.until], [0, noon + minute]);
    const [server] = found([exchange(attempt('north', noon, 'server'))], [{ endpoint: 'north', at: noon + minute, ok: true }]);
    assert.equal(server?.until, undefined);
    assert.equal(lengthText(server ?? { from: 0 }), 'not seen to answer since');
  });

  it('has its extra cost once, and says what it does not know', () => {
    const both = exchange(attempt('north', noon, 'server'), attempt('east', noon + 20, 'server'), attempt('south', noon + 40));
    const incidents = found([both], [], () => ({ microUsd: 1500, estimated: true }));
    assert.deepEqual(incidents.map(({ endpoint, extraMicroUsd }) => [endpoint, extraMicroUsd]), [['east', 0], ['north', 1500]]);
    assert.equal(extraText(incidents[1] ?? assert.fail()), '~$0.0015');
    const [unknown] = found([both], [], () => undefined).filter(({ endpoint }) => endpoint === 'north');
    assert.equal(extraText(unknown ?? assert.fail()), 'unknown');
    const [partly] = found([both, exchange(attempt('north', noon + 60, 'server'), attempt('south', noon + 80))], [], ({ id }) => (id === both.id ? undefined : { microUsd: -20, estimated: false })).filter(({ endpoint }) => endpoint === 'north');
    assert.equal(extraText(partly ?? assert.fail()), '-$0.00002+');
  });
});

describe('a report of incidents', () => {
  it('says in one sentence what it found', () => {
    const over = found([exchange(attempt('north', noon, 'server')), exchange(attempt('north', noon + 1000))]);
    assert.equal(incidentsVerdict({ at: noon, days: 7, incidents: [], left: 0 }), 'No endpoint failed in the last 7 days.');
    assert.equal(incidentsVerdict({ at: noon, days: 1, incidents: over, left: 0 }), '1 incident in the last day, all over.');
    assert.equal(incidentsVerdict({ at: noon, days: 7, incidents: [...over, ...found([exchange(attempt('south', noon, 'server'))])], left: 3 }), '5 incidents in the last 7 days, 1 endpoint not seen to answer since.');
  });

  it('formats nothing of what providers and people wrote', () => {
    const incidents = found([exchange(attempt('a|b', noon, 'server', { message: '[x](command:y) <b>' }))]);
    const markdown = incidentsMarkdown({ at: noon, days: 7, incidents, left: 0 });
    assert.ok(markdown.includes('a\\|b') && markdown.includes('\\[x\\](command:y) \\<b\\>'), markdown);
  });
});
