import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clockText } from '../../../../server/api/condition.ts';
import { formatMoney, markdownCell, speakMoney } from '../../../../client/base/format.ts';
import { statusBarCommands, statusBarContent } from '../../../../client/status/statusText.ts';
import type { StatusBarInput } from '../../../../client/status/statusText.ts';
import type { EndpointStatus } from '../../../../server/api/status.ts';
import { emptyStatus, endpoint } from '../fakes.ts';

const now = 1_000_000;
const content = (changes: Partial<StatusBarInput>) => statusBarContent({ server: 'running', status: emptyStatus(), configuredEndpoints: 0, choice: 'health', now, ...changes });
const busy = emptyStatus({
  endpoints: [
    endpoint('openai', { firstToken: { p50: 420, p95: 900, p99: 1_500 }, todayMicroUsd: 1_200_000 }),
    endpoint('claude', { state: 'down', breaker: 'open', retryAt: now + 12_000 }),
    endpoint('local', { state: 'unknown' }),
    endpoint('spare', { enabled: false }),
  ],
  todayMicroUsd: 1_370_000,
});

describe('the status bar', () => {
  it('counts those that can answer among those that are switched on', () => {
    const counts = (changes: Partial<EndpointStatus>): string => content({ status: emptyStatus({ endpoints: [endpoint('a'), endpoint('b', changes), endpoint('off', { enabled: false })] }) }).text;
    assert.equal(content({ status: busy, configuredEndpoints: 4 }).text, '$(pulse) 2/3');
    assert.equal(counts({ state: 'degraded' }), '$(pulse) 2/2');
    assert.equal(counts({ state: 'degraded', breaker: 'half-open' }), '$(pulse) 2/2');
    assert.equal(counts({ state: 'down' }), '$(pulse) 1/2');
    assert.equal(counts({ state: 'healthy', breaker: 'open' }), '$(pulse) 1/2');
    assert.equal(counts({ state: 'unknown' }), '$(pulse) 2/2', 'one not yet tried can answer until it shows otherwise');
    assert.equal(counts({ state: 'down', condition: { kind: 'rate-limited', until: now + 60_000 } }), '$(pulse) 1/2', 'B8: every key is rate-limited');
    assert.equal(counts({ state: 'down', condition: { kind: 'key-rejected' } }), '$(pulse) 1/2');
  });

  it('shows money when the setting asks for it', () => {
    assert.equal(content({ status: busy, choice: 'spend' }).text, '$(credit-card) $1.37');
    assert.equal(content({ status: busy, choice: 'both' }).text, '$(pulse) 2/3 · $1.37');
  });

  it('marks simulated providers, and does not count them beside real ones', () => {
    const simulated = [endpoint('simulated-a', { provider: 'simulated' }), endpoint('simulated-b', { provider: 'simulated', state: 'down' })];
    const alone = content({ status: emptyStatus({ endpoints: simulated }) });
    assert.equal(alone.text, '$(pulse) 1/2 · simulated');
    assert.match(alone.spoken, /2 providers are simulated/);
    assert.match(alone.tooltip, /\*\*Simulated:\*\*.*command:waybill\.removeSimulated/);
    assert.equal(content({ status: emptyStatus({ endpoints: [endpoint('a'), ...simulated] }) }).text, '$(pulse) 1/1 · simulated');
  });

  it('marks estimated and unknown money', () => {
    assert.equal(content({ status: { ...busy, todayEstimated: true }, choice: 'spend' }).text, '$(credit-card) ~$1.37');
    assert.equal(content({ status: { ...busy, todayUnknown: 2 }, choice: 'spend' }).text, '$(credit-card) $1.37+');
    assert.equal(content({ status: { ...busy, todayMicroUsd: 0, todayUnknown: 2 }, choice: 'spend' }).text, '$(credit-card) cost unknown');
    assert.match(content({ status: { ...busy, todayMicroUsd: 0, todayUnknown: 2 } }).tooltip, /the cost of 2 attempts is unknown/);
  });

  it('has a coloured background only when nothing can serve, or the server has failed', () => {
    assert.equal(content({ status: busy }).background, undefined);
    const dead = content({ status: { ...busy, nothingCanServe: true } });
    assert.equal(dead.background, 'error');
    assert.match(dead.text, /^\$\(error\) 2\/3/);
    assert.match(dead.spoken, /nothing can answer/);
    assert.equal(content({ server: 'failed' }).background, 'error');
    assert.equal(content({ server: 'restarting', status: busy }).background, undefined);
  });

  it('says in words when the machine itself is offline or behind a sign-in page', () => {
    const offline = content({ status: { ...busy, link: { kind: 'offline', since: 0 } } });
    assert.equal(offline.text, '$(debug-disconnect) Offline · 2/3');
    assert.match(offline.tooltip, /\*\*Offline:\*\*.+Local models still work/);
    assert.match(offline.spoken, /^Waybill: offline, 2 of 3/);
    const portal = content({ choice: 'spend', status: { ...busy, link: { kind: 'portal', since: 0 } } });
    assert.equal(portal.text, '$(debug-disconnect) Sign-in page in the way · $1.37');
    assert.match(portal.tooltip, /Open any web page and sign in/);
    assert.equal(content({ choice: 'both', status: { ...busy, link: { kind: 'offline', since: 0 } } }).text, '$(debug-disconnect) Offline · 2/3 · $1.37');
  });

  it('does not blame a provider that the machine cannot reach', () => {
    const cut = { state: 'down', offline: 'offline' } as const;
    assert.match(content({ status: emptyStatus({ endpoints: [endpoint('openai', cut)] }) }).tooltip, /out of reach: offline/);
  });

  it('says where the server is in its life', () => {
    assert.match(content({ server: 'starting', status: undefined }).text, /sync~spin/);
    assert.match(content({ server: 'restarting' }).spoken, /restarting/);
    assert.match(content({ server: 'failed' }).tooltip, /command:waybill\.restartServer/);
    assert.match(content({ server: 'stopped' }).spoken, /stopped/);
  });

  it('without providers offers to add one, and with unusable ones says why', () => {
    const none = content({});
    assert.equal(none.command, 'waybill.addProvider');
    assert.match(none.tooltip, /Add Provider/);
    const unusable = content({ configuredEndpoints: 1, status: emptyStatus({ problems: [{ message: 'The URL of "x" is wrong.' }] }) });
    assert.match(unusable.tooltip, /The URL of "x" is wrong\./);
    assert.equal(unusable.command, 'waybill.open');
  });

  it('is read out in full', () => {
    assert.equal(content({ status: busy }).spoken, 'Waybill: 2 of 3 providers up (1 healthy, 1 down, 1 not used yet), 1.37 dollars today');
    assert.equal(content({ status: { ...busy, todayEstimated: true } }).spoken, 'Waybill: 2 of 3 providers up (1 healthy, 1 down, 1 not used yet), about 1.37 dollars today');
  });

  it('has a tooltip with a row per endpoint: state, first token and today\'s cost', () => {
    const lines = content({ status: busy }).tooltip.replaceAll('&nbsp;', '').split('\n');
    assert.equal(lines[0], '**Waybill** · 1 healthy, 1 down, 1 not used yet · \\$1.37 today');
    assert.ok(lines.includes('| openai | $(pass) healthy | 420 ms | \\$1.20 |'), lines.join('\n'));
    assert.ok(lines.includes(`| claude | $(error) down, next try at ${clockText(now + 12_000, now, 'up')} | – | \\$0.00 |`), lines.join('\n'));
    assert.ok(lines.includes('| spare | $(circle-slash) disabled | – | \\$0.00 |'), lines.join('\n'));
  });

  it('lets no name of an endpoint break the table or bring a link of its own', () => {
    const { tooltip } = content({ status: emptyStatus({ endpoints: [endpoint('a|b [x](command:evil)\n$(bug)')] }) });
    assert.ok(!tooltip.includes('](command:evil)'));
    const row = tooltip.split('\n').find(line => line.includes('evil')) ?? '';
    assert.equal(row.replace(/\\\|/g, '').split('|').length, 6);
  });

  it('links only to commands it is trusted with', () => {
    const states: Partial<StatusBarInput>[] = [{}, { status: busy }, { server: 'failed' }, { server: 'stopped' }, { configuredEndpoints: 1 }, { status: { ...busy, problems: [{ message: 'x' }], nothingCanServe: true } }];
    for (const state of states) {
      for (const [, command] of content(state).tooltip.matchAll(/\(command:([^)]+)\)/g)) assert.ok((statusBarCommands as readonly string[]).includes(command ?? ''), command);
    }
  });
});

describe('figures', () => {
  it('money says how sure it is', () => {
    assert.equal(formatMoney({ microUsd: 0, estimated: false, unknown: 0 }), '$0.00');
    assert.equal(formatMoney({ microUsd: 4_200, estimated: true, unknown: 0 }), '~$0.0042');
    assert.equal(speakMoney({ microUsd: 0, estimated: false, unknown: 3 }), 'unknown cost');
    assert.equal(speakMoney({ microUsd: 50, estimated: false, unknown: 1 }), 'less than 0.0001 dollars plus unknown cost');
  });

  it('cells cannot leave their table', () => {
    assert.equal(markdownCell('a|b\nc `d` $(x) ~1'), 'a\\|b c \\`d\\` \\$\\(x\\) \\~1');
  });
});
