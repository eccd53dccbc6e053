import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { removalConsequences, undone, withTargetsBack } from '../../../../client/commands/removal.ts';
import { routesWithoutEndpoint, withTarget } from '../../../../client/settings/settingsEdits.ts';
import type { Routes } from '../../../../client/settings/settingsEdits.ts';

const routes: Routes = { default: { targets: ['north/a', 'south/b'], afterCommit: 'resume' }, cheap: { targets: ['north/c'] }, other: { targets: ['south/b'] } };

describe('removing a provider', () => {
  it('says which routes are deleted and which are shortened', () => {
    assert.deepEqual(removalConsequences('north', routes, 2), [
      '2 keys are deleted from the secret store.',
      'The route "cheap" is deleted too: no other provider is in it.',
      'It is taken out of the route "default".',
      'What it cost so far stays in the records.',
    ]);
    assert.deepEqual(removalConsequences('west', routes, 0), ['What it cost so far stays in the records.']);
  });

  it('says that keys which cannot be read are lost for good', () => {
    assert.equal(removalConsequences('west', routes, undefined)[0], 'Its keys cannot be read now: they are deleted from the secret store for good.');
  });

  it('can be undone exactly, order included', () => {
    const after = routesWithoutEndpoint(routes, 'north');
    const back = undone(routes, after, after, withTargetsBack('north'));
    assert.equal(JSON.stringify(back), JSON.stringify(routes));
  });

  it('is undone around what was changed since', () => {
    const after = routesWithoutEndpoint(routes, 'north');
    const now: Routes = { ...withTarget(after, 'default', 'west/d'), fresh: { targets: ['west/d'] } };
    delete now['other'];
    assert.deepEqual(undone(routes, after, now, withTargetsBack('north')), {
      default: { targets: ['north/a', 'south/b', 'west/d'], afterCommit: 'resume' }, cheap: { targets: ['north/c'] }, fresh: { targets: ['west/d'] },
    });
  });
});
