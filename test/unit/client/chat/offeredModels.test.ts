import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readKeptModels, sameModels, shownModels, wantedName } from '../../../../client/chat/offeredModels.ts';
import { TokenEstimator } from '../../../../client/chat/tokenEstimate.ts';
import { asksForGroup, pickerModel, thinkingPartConstructor } from '../../../../client/chat/hostExtras.ts';
import { offered } from '../fakes.ts';

describe('shownModels', () => {
  const all = [offered('model:gpt-4.1'), offered('route:default'), offered('model:claude'), offered('route:fast')];

  it('shows routes only, or routes before models, as the setting says', () => {
    assert.deepEqual(shownModels(all, 'routes').map(model => model.id), ['route:default', 'route:fast']);
    assert.deepEqual(shownModels(all, 'all').map(model => model.id), ['route:default', 'route:fast', 'model:gpt-4.1', 'model:claude']);
  });

  it('shows models while there is no route, so that the picker is never empty', () => {
    assert.deepEqual(shownModels([offered('model:gpt-4.1')], 'routes').map(model => model.id), ['model:gpt-4.1']);
  });

  it('never offers the id that the editor treats specially, though a route may be called so', () => {
    const ids = shownModels([{ ...offered('route:auto'), id: 'auto' }, offered('route:auto')], 'all').map(model => model.id);
    assert.deepEqual(ids, ['route:auto']);
  });

  it('says health with an icon, and where requests go in the tooltip', () => {
    const [model] = shownModels([offered('route:default', { state: 'down', warning: 'All are down.', targets: ['openai/gpt-4.1', 'claude/sonnet'] })], 'routes');
    assert.equal(model?.icon, 'error');
    assert.equal(model.warning, 'All are down.');
    assert.match(model.tooltip, /openai\/gpt-4\.1, then claude\/sonnet/);
  });

  it('notices when nothing in the picker would change', () => {
    const left = shownModels(all, 'all');
    assert.ok(sameModels(left, shownModels(structuredClone(all), 'all')));
    assert.ok(!sameModels(left, shownModels([...all.slice(1)], 'all')));
  });
});

describe('pickerModel', () => {
  const icon = (id: string) => ({ id, color: undefined });
  it('carries health, price and the choice of thinking effort where they exist', () => {
    const [model] = shownModels([offered('route:default', { pricing: '$3 in / $15 out per 1M', thinking: true, imageInput: true, state: 'degraded', warning: 'Slow.' })], 'routes');
    assert.ok(model !== undefined);
    const shown = pickerModel(model, icon);
    assert.equal(shown.statusIcon?.id, 'warning');
    assert.equal(shown.pricing, '$3 in / $15 out per 1M');
    assert.deepEqual(shown.warningText, { availability: 'Slow.' });
    assert.deepEqual(shown.capabilities, { imageInput: true, toolCalling: true });
    assert.ok(shown.configurationSchema !== undefined);
  });

  it('invents nothing for a model of which nothing is known', () => {
    const [model] = shownModels([offered('model:x', { state: 'unknown' })], 'all');
    assert.ok(model !== undefined);
    const shown = pickerModel(model, icon);
    for (const field of ['statusIcon', 'pricing', 'warningText', 'configurationSchema']) assert.ok(!(field in shown), field);
  });
});

describe('what only some editors have', () => {
  it('is found where it is and missed without harm where it is not', () => {
    class LanguageModelThinkingPart { readonly value: string; constructor(value: string) { this.value = value; } }
    assert.equal(thinkingPartConstructor({ LanguageModelThinkingPart }), LanguageModelThinkingPart);
    assert.equal(thinkingPartConstructor({}), undefined);
    assert.equal(asksForGroup({ silent: true }), false);
    const withGroup = { silent: true, configuration: { apiKey: 'x' } };
    assert.equal(asksForGroup(withGroup), true);
  });
});

describe('the list kept for the next session', () => {
  it('is read with unknown health, and anything else is no list', () => {
    const kept = JSON.parse(JSON.stringify([offered('route:default', { state: 'down', warning: 'x' }), { id: 'broken' }, null])) as unknown;
    assert.deepEqual(readKeptModels(kept).map(model => [model.id, model.state, model.warning]), [['route:default', 'unknown', undefined]]);
    assert.deepEqual(readKeptModels('nonsense'), []);
    assert.deepEqual(readKeptModels(undefined), []);
  });

  it('a model that is not offered any more is still asked for by its name', () => {
    assert.equal(wantedName('route:gone', []), 'gone');
    assert.equal(wantedName('model:vendor/x:free', []), 'vendor/x:free');
    assert.equal(wantedName('route:default', [offered('route:default', { requestedModel: 'other' })]), 'other');
  });
});

describe('TokenEstimator', () => {
  const text = (value: string) => ({ role: 1, content: [{ value }] });

  it('estimates prose at about a token per three to four characters, and nothing at nothing', () => {
    const estimator = new TokenEstimator();
    const tokens = estimator.text('m', 'The quick brown fox jumps over the lazy dog. '.repeat(20));
    assert.ok(tokens > 180 && tokens < 320, String(tokens));
    assert.equal(estimator.text('m', ''), 0);
    assert.equal(estimator.text('m', 'a'), 1);
  });

  it('counts scripts other than Latin as denser', () => {
    const estimator = new TokenEstimator();
    assert.ok(estimator.text('m', '数据库连接失败'.repeat(10)) > estimator.text('m', 'abcdefg'.repeat(10)) * 2);
  });

  it('counts each character outside Latin scripts 2.6 times, wherever it stands in a text of any length', () => {
    const estimator = new TokenEstimator();
    const weight = (value: string): number => estimator.promptWeight([text(value)], []);
    for (const length of [1, 255, 256, 5_000]) {
      assert.equal(weight('x'.repeat(length)), length);
      assert.equal(weight('é'.repeat(length)), length);
      assert.ok(Math.abs(weight(`${'x'.repeat(length)}数é`) - (length + 1 + 2.6)) < 1e-6);
    }
    assert.ok(Math.abs(estimator.promptWeight([], [{ name: 'lesen', description: '读' }]) - ('{"name":"lesen","description":""}'.length + 2.6)) < 1e-6);
    assert.equal(estimator.promptWeight([{ role: 2, content: [{ callId: '1', name: 'read', input: { path: 'a' } }] }], []), 'read{"path":"a"}'.length);
  });

  it('comes closer to what a provider really counts, for that model only', () => {
    const estimator = new TokenEstimator();
    const prompt = 'x'.repeat(10_000);
    const before = estimator.text('m', prompt);
    for (let turn = 0; turn < 20; turn++) estimator.learn('m', estimator.promptWeight([text(prompt)], []), 5_000);
    const after = estimator.text('m', prompt);
    assert.ok(Math.abs(after - 5_000) < Math.abs(before - 5_000) / 10, `${String(before)} -> ${String(after)}`);
    assert.equal(estimator.text('other', prompt), before);
  });

  it('learns nothing from counts that cannot be', () => {
    const estimator = new TokenEstimator();
    const before = estimator.text('m', 'x'.repeat(1_000));
    estimator.learn('m', 10_000, 1);
    estimator.learn('m', 10_000, 0);
    estimator.learn('m', 10, 10);
    assert.equal(estimator.text('m', 'x'.repeat(1_000)), before);
  });

  it('counts everything in a message, images and tool results included', () => {
    const estimator = new TokenEstimator();
    const plain = estimator.message('m', text('hello'));
    const rich = estimator.message('m', { role: 1, content: [{ value: 'hello' }, { mimeType: 'image/png', data: new Uint8Array(9) }, { callId: 'a', content: [{ value: 'x'.repeat(360) }] }] });
    assert.ok(rich > plain + 1_000 + 90, `${String(plain)} ${String(rich)}`);
  });
});
