import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DrillStatus, DrillSummary, RunningDrill, ResilienceReport } from '../../../../server/api/drill.ts';
import { drillFaults } from '../../../../server/api/drill.ts';
import { said } from '../../../../server/api/localization/said.ts';
import { commandTitles } from '../../../../client/commands/commandTable.ts';
import { drillReportMarkdown } from '../../../../client/views/drill/drillReportMarkdown.ts';
import { isFromDrillReportPage, isToDrillReportPage } from '../../../../client/views/drill/drillReportMessages.ts';
import { buildDrillReportPage } from '../../../../client/views/drill/drillReportModel.ts';
import { drillNodes, timeLeft } from '../../../../client/views/drill/drillTreeModel.ts';
import { countdown, countsText, drillText, faultChoices, gapFixes, plainDuration, readDuration, summaryText } from '../../../../client/base/drillWording.ts';
import { downCount, providerNodes } from '../../../../client/views/providers/providersTreeModel.ts';
import { statusBarContent } from '../../../../client/status/statusText.ts';
import { emptyStatus, endpoint } from '../fakes.ts';

const now = Date.UTC(2026, 10, 20, 14, 30);
const style = { locale: 'en-GB', timeZone: 'UTC' };
const drill = (changes: Partial<RunningDrill> = {}): RunningDrill => ({ id: 'd1', endpoint: 'north', fault: 'down', startedAt: now - 60_000, until: now + 245_000, ...changes });
const summary = (changes: Partial<DrillSummary> = {}): DrillSummary => ({ ...drill(), met: 3, answered: 2, failed: 1, endedAt: now + 240_000, ended: 'time', ...changes });
const status = (changes: Partial<DrillStatus> = {}): DrillStatus => ({
  running: [drill()], counts: { met: 0, answered: 0, failed: 0 }, requests: [],
  routes: [
    { name: 'auto', kind: 'route', effect: 'taken-over', answeredBy: 'south/claude', usually: 'north/gpt', note: 'south/claude answers after north/gpt failed by the drill.' },
    { name: 'solo', kind: 'route', effect: 'lost', usually: 'north/gpt', note: 'Nothing answers: no target is left.' },
  ],
  ...changes,
});

describe('the words of a fire drill', () => {
  it('describe each fault, in the present and in the past', () => {
    assert.deepEqual(faultChoices.map(choice => choice.fault).sort(), [...drillFaults].sort());
    assert.equal(drillText(drill()), 'north is down');
    assert.equal(drillText(drill({ fault: 'rate-limit', model: 'gpt-4.1' })), 'north (gpt-4.1) answers 429');
    assert.equal(drillText(drill({ fault: 'slow', slowMs: 10_000 })), 'north answers 10 s late');
    assert.equal(drillText(drill({ fault: 'cut' }), 'past'), 'north broke off in mid-answer');
    assert.equal(drillText(drill({ fault: 'dead-key' })), 'north rejects every key');
    assert.equal(drillText(drill({ fault: 'dead-key', keyName: 'work …a1b2' }), 'past'), 'north rejected the key work …a1b2');
  });

  it('count down as a clock does', () => {
    assert.equal(countdown(now + 245_000, now), '4:05');
    assert.equal(countdown(now + 3_729_000, now), '1:02:09');
    assert.equal(countdown(now - 5, now), '0:00');
    assert.equal(countdown(now + 400, now), '0:01');
  });

  it('read a length of time as people write it, and show it again', () => {
    const cases: [string, number | undefined][] = [['90 s', 90_000], ['10', 600_000], ['10min', 600_000], ['1.5 h', 5_400_000], ['2 Minutes', 120_000], ['soon', undefined], ['', undefined], ['-1', undefined]];
    for (const [text, expected] of cases) assert.equal(readDuration(text), expected, text);
    assert.deepEqual([60_000, 90_000, 7_200_000, 3000].map(plainDuration), ['1 min', '90 s', '2 h', '3 s']);
  });

  it('sum up what became of it', () => {
    assert.equal(summaryText(summary()), 'north was down for 5 min. 3 requests met it: 2 answered, 1 failed.');
    assert.equal(countsText({ met: 0, answered: 0, failed: 0 }), 'No request met it');
    assert.equal(countsText({ met: 1, answered: 1, failed: 0 }), '1 request met it: it was answered');
    assert.equal(countsText({ met: 4, answered: 4, failed: 0 }), '4 requests met it: all were answered');
    assert.equal(countsText({ met: 4, answered: 1, failed: 1 }), '4 requests met it: 1 answered, 1 failed, 2 cancelled');
  });

  it('lead from every gap to a command that exists', () => {
    for (const { command } of Object.values(gapFixes)) assert.ok(command in commandTitles, command);
  });
});

describe('the Fire Drill view', () => {
  it('is empty while none runs', () => {
    assert.deepEqual(drillNodes(undefined), []);
    assert.deepEqual(drillNodes(status({ running: [] })), []);
    assert.equal(timeLeft(undefined, now), '');
  });

  it('shows what fails, which target answers for each route, and what to do next', () => {
    const [running, routes, requests] = drillNodes(status());
    assert.deepEqual([running?.label, running?.icon], ['north is down', 'flame']);
    assert.deepEqual(routes?.children.map(node => [node.label, node.description, node.icon]), [['auto', '→ south/claude', 'arrow-swap'], ['solo', 'nothing answers', 'error']]);
    assert.match(routes?.children[0]?.tooltip ?? '', /after north\/gpt failed by the drill/);
    assert.match(requests?.children[0]?.label ?? '', /^None yet/);
    assert.equal(timeLeft(status(), now), '4:05 left');
  });

  it('shows the way of each request, which opens its receipt', () => {
    const met = status({
      counts: { met: 2, answered: 1, failed: 1 },
      requests: [
        { id: 'x2', requestedModel: 'solo', at: now, outcome: 'failed', failureClass: 'network', totalMs: 12, path: [{ target: 'north/gpt', outcome: 'failed', drill: true, failureClass: 'network', totalMs: 3 }] },
        {
          id: 'x1', requestedModel: 'auto', at: now, outcome: 'ok', target: 'south/claude', totalMs: 840,
          path: [{ target: 'north/gpt', outcome: 'passed-over', drill: true }, { target: 'south/claude', outcome: 'ok', drill: false, totalMs: 838 }],
        },
      ],
    });
    const requests = drillNodes(met)[2];
    assert.equal(requests?.description, '1 answered, 1 failed');
    assert.deepEqual(requests?.children.map(node => [node.label, node.description, node.receipt]), [
      ['north ✕', 'failed: network error · solo', 'x2'], ['(north) → south', '840 ms · auto', 'x1'],
    ]);
    assert.match(requests?.children[1]?.tooltip ?? '', /north\/gpt was not tried: it rests since it failed by the drill\nsouth\/claude answered in 838 ms/);
  });
});

describe('the other parts of the editor window during a drill', () => {
  const during = emptyStatus({ endpoints: [endpoint('north', { state: 'down', breaker: 'open' }), endpoint('south')], drill: status() });

  it('says in the status bar that a drill is on, without a colour of alarm', () => {
    const content = statusBarContent({ server: 'running', status: during, configuredEndpoints: 2, choice: 'health', now });
    assert.equal(content.text, '$(flame) 1/2 · fire drill');
    assert.equal(content.background, undefined);
    assert.match(content.spoken, /a fire drill is running: north is down/);
    assert.match(content.tooltip, /north is down, until \d\d:\d\d · \[Stop\]\(command:waybill\.stopFireDrill\)/);
  });

  it('marks the endpoint, and does not count it as down', () => {
    const [north, south] = providerNodes(during, now);
    assert.equal(north?.icon, 'flame');
    assert.match(north?.description ?? '', /^fire drill/);
    assert.match(north?.spoken ?? '', /a fire drill is running/);
    assert.equal(south?.icon, 'pass');
    assert.equal(downCount(during), 0);
    assert.equal(downCount({ ...during, drill: undefined }), 1);
  });
});

describe('the fire drill report', () => {
  const report: ResilienceReport = {
    at: now, drills: [], last: summary(),
    routes: [
      {
        name: 'auto', kind: 'route', verdict: 'survives', gaps: [],
        targets: [{ target: 'north/gpt', state: 'ready' }, { target: 'south/claude', state: 'ready' }],
        losses: [
          { kind: 'key', name: 'north: work …a1b2', result: 'survives', takenOverBy: 'south/claude' }, { kind: 'endpoint', name: 'north', result: 'survives', takenOverBy: 'south/claude' },
        ],
      },
      {
        name: 'so|lo', kind: 'route', verdict: 'gaps', targets: [{ target: 'north/gpt', state: 'ready' }],
        losses: [{ kind: 'endpoint', name: 'north', result: 'stops' }, { kind: 'model', name: 'gpt', result: 'weaker', takenOverBy: 'south/x', note: 'south/x cannot call tools: agents stop.' }, { kind: 'provider', name: 'Acme', result: 'not-now', takenOverBy: 'south/x', note: 'south/x: south refused the connection.' }],
        gaps: [{
          problem: '"so|lo/gpt" cannot serve now: so|lo refused the connection.', saidProblem: said('"{0}" cannot serve now: {1}.', 'so|lo/gpt', 'so|lo refused the connection'),
          action: 'Put another model in its place.', saidAction: said('Put another model in its place.'), fix: 'edit-route',
        }],
      },
    ],
  };
  const page = buildDrillReportPage(report, style);

  it('says for each route whether it survives, and for each loss what happens', () => {
    assert.equal(page.verdict, '1 of 2 routes survives the loss of any single endpoint, key or model.');
    assert.equal(page.tone, 'failover');
    assert.deepEqual(page.routes.map(route => [route.name, route.tone, route.verdict]), [['auto', 'ok', 'Survives any single loss'], ['so|lo', 'failover', '1 gap']]);
    assert.deepEqual(page.matrix.columns, ['auto', 'so|lo']);
    assert.deepEqual(page.matrix.rows.map(row => [row.kind, row.name, ...row.cells.map(cell => cell.result)]), [
      ['Endpoint', 'north', 'survives', 'stops'], ['Provider', 'Acme', 'not concerned', 'not now'], ['Model', 'gpt', 'not concerned', 'serves less'], ['Key', 'north: work …a1b2', 'survives', 'not concerned'],
    ]);
    assert.deepEqual(page.matrix.rows[1]?.cells[1], { tone: 'failover', result: 'not now', by: 'south/x', note: 'south refused the connection.' });
    assert.deepEqual(page.routes[1]?.gaps.map(gap => gap.button), ['Edit Route…']);
    assert.match(page.drills[0] ?? '', /^The last fire drill: north was down for 5 min, until 20 Nov 2026, 14:34:00\. 3 requests met it/);
  });

  it('says so when everything survives, nothing can answer, or there is nothing to report', () => {
    const only = report.routes.slice(0, 1);
    assert.equal(buildDrillReportPage({ ...report, routes: only }, style).tone, 'ok');
    assert.equal(buildDrillReportPage({ ...report, routes: only }, style).verdict, 'Your one route survives the loss of any single endpoint, key or model.');
    const stopped = buildDrillReportPage({ ...report, routes: report.routes.map(route => ({ ...route, verdict: 'stopped' as const })) }, style);
    assert.equal(stopped.tone, 'failed');
    assert.equal(stopped.routes[0]?.verdict, 'Cannot answer now');
    assert.match(buildDrillReportPage({ ...report, routes: [] }, style).verdict, /no route yet/);
    assert.match(buildDrillReportPage({ ...report, drills: [drill()] }, style).drills[0] ?? '', /A fire drill is running: north is down\. What it does to health is left out/);
  });

  it('is copied as Markdown with the same facts, safe inside a table', () => {
    const markdown = drillReportMarkdown(page);
    assert.match(markdown, /^# Fire drill report\n\n1 of 2 routes survives/);
    assert.match(markdown, /\| Lost \| auto \| so\\\|lo \|/);
    assert.match(markdown, /\| Endpoint north \| survives: south\/claude \| stops \|/);
    assert.match(markdown, /\| Model gpt \| – \| serves less: south\/x \(south\/x cannot call tools: agents stop\) \|/);
    assert.match(markdown, /## Route so\\\|lo: 1 gap\n\n- "so\\\|lo\/gpt" cannot serve now: so\\\|lo refused the connection\. Put another model in its place\./);
  });

  it('reaches the page only in its shape, and so does what the page says', () => {
    assert.ok(isToDrillReportPage(JSON.parse(JSON.stringify({ type: 'page', page }))));
    assert.ok(!isToDrillReportPage({ type: 'page', page: { ...page, routes: [{}] } }));
    assert.ok(isToDrillReportPage({ type: 'failed', message: 'x' }));
    assert.ok(isFromDrillReportPage({ type: 'fix', fix: 'add-key', endpoint: 'north' }));
    assert.ok(!isFromDrillReportPage({ type: 'fix', fix: 'rm -rf' }));
    assert.ok(isFromDrillReportPage({ type: 'ready' }));
  });
});
