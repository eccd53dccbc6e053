import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callerFrom, refusalOf } from '../../../../client/chat/caller.ts';

describe('an extension that asks', () => {
  it('is refused in one sentence with the way out where it is blocked, and no other is', () => {
    const { extension } = callerFrom({ requestInitiator: 'acme.helper' }, undefined);
    assert.match(refusalOf(extension, ['Acme.Helper']) ?? '', /^The extension "acme\.helper" may not use models of Waybill: .*"Waybill: Block Extension…"\.$/);
    assert.equal(refusalOf(extension, ['acme.other']), undefined);
    assert.equal(refusalOf(callerFrom({ requestInitiator: 'core' }, undefined).extension, ['core']), undefined, 'the editor itself names no extension');
  });
});
