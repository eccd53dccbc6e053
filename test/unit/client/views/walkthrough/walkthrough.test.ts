import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { EndpointStatus, OfferedModel, StatusSnapshot } from '../../../../../server/api/status.ts';
import { walkthroughSteps } from '../../../../../client/views/walkthrough/walkthroughSteps.ts';

const root = new URL('../../../../../', import.meta.url);
const endpoint = (state: EndpointStatus['state']): EndpointStatus => ({
  name: 'openai', provider: 'openai', providerName: 'OpenAI', baseUrl: 'https://api.openai.com/v1', protocol: 'openai-chat', enabled: true, condition: { kind: state }, state, breaker: 'closed',
  keys: [], models: [], todayMicroUsd: 0, todayEstimated: false, todayUnknown: 0,
});
const route = (...targets: string[]): OfferedModel => ({
  id: 'route:auto', requestedModel: 'auto', kind: 'route', name: 'Auto', targets, state: 'healthy', condition: { kind: 'healthy' }, detail: '', maxInputTokens: 1, maxOutputTokens: 1,
  imageInput: false, toolCalling: true, thinking: false,
});
const status = (endpoints: EndpointStatus[], offered: OfferedModel[] = []): StatusSnapshot => ({
  at: 0, endpoints, offered, nothingCanServe: false, todayMicroUsd: 0, todayEstimated: false, todayUnknown: 0, ledgerRevision: 0, http: { state: 'off' }, problems: [],
});

test('a step is done when it really happened', () => {
  assert.deepEqual(walkthroughSteps(status([])), { providerAdded: false, providerTested: false, fallbackReady: false, budgetSet: false, drillSurvived: false });
  assert.deepEqual(walkthroughSteps(status([endpoint('unknown')])), { providerAdded: true, providerTested: false, fallbackReady: false, budgetSet: false, drillSurvived: false });
  assert.equal(walkthroughSteps(status([endpoint('down')])).providerTested, false);
  assert.equal(walkthroughSteps(status([endpoint('healthy')])).providerTested, true);
});

test('two models of one provider are no fallback, two providers are', () => {
  assert.equal(walkthroughSteps(status([], [route('openai/a', 'openai/b')])).fallbackReady, false);
  assert.equal(walkthroughSteps(status([], [route('relay/org/a', 'relay/org/b')])).fallbackReady, false);
  assert.equal(walkthroughSteps(status([], [route('openai/a', 'claude/b')])).fallbackReady, true);
  assert.equal(walkthroughSteps(status([], [{ ...route('openai/a', 'claude/a'), kind: 'model' }])).fallbackReady, false);
});

test('simulated providers tick no step that is about providers of the user', () => {
  const simulated = ['simulated-a', 'simulated-b'].map((name) => ({ ...endpoint('healthy'), name, provider: 'simulated' }));
  assert.deepEqual(walkthroughSteps(status(simulated, [route('simulated-a/x', 'simulated-b/x')])), { providerAdded: false, providerTested: false, fallbackReady: false, budgetSet: false, drillSurvived: false });
  assert.equal(walkthroughSteps(status([...simulated, endpoint('healthy')], [route('openai/a', 'simulated-b/x')])).fallbackReady, false);
});

test('a budget counts once the server holds one', () => {
  const budget = { name: 'month', period: 'month', per: 'all', key: 'month' } as unknown as NonNullable<StatusSnapshot['budgets']>[number];
  assert.equal(walkthroughSteps({ ...status([]), budgets: [] }).budgetSet, false);
  assert.equal(walkthroughSteps({ ...status([]), budgets: [budget] }).budgetSet, true);
});

test('a fire drill counts once a request was answered in spite of it', () => {
  const drill = (answered: number): StatusSnapshot['drill'] => ({ running: [], counts: { met: 1, answered, failed: 1 - answered }, routes: [], requests: [] });
  assert.equal(walkthroughSteps({ ...status([]), drill: drill(0) }).drillSurvived, false);
  assert.equal(walkthroughSteps({ ...status([]), drill: drill(1) }).drillSurvived, true);
});

interface Step { id: string; description: string; media: { svg: string }; completionEvents: string[] }

test('every step of the walkthrough has its picture, a command that exists and an event that can fire', () => {
  const manifest: { contributes: { walkthroughs: { steps: Step[] }[]; commands: { command: string }[] } } =
    JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const progress = readFileSync(new URL('client/views/walkthrough/walkthroughProgress.ts', root), 'utf8');
  const commands = new Set(manifest.contributes.commands.map(({ command }) => command));
  const steps = manifest.contributes.walkthroughs.flatMap((walkthrough) => walkthrough.steps);
  assert.ok(steps.length >= 4);
  for (const step of steps) {
    assert.ok(existsSync(new URL(step.media.svg, root)), step.media.svg);
    for (const [, command = ''] of step.description.matchAll(/\(command:([\w.]+)\)/g)) {
      assert.ok(!command.startsWith('waybill.') || commands.has(command), command);
    }
    for (const event of step.completionEvents) {
      const [kind, name = ''] = event.split(':');
      // A view that is opened shows nothing that happened.
      assert.ok(kind === 'onContext' && progress.includes(`'${name}'`), event);
    }
  }
});
