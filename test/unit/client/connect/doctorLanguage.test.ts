import '../../support/vietnamese.ts';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { toolDoctor } from '../../../../client/connect/doctor/doctor.ts';
import { ToolConnector } from '../../../../client/connect/toolConnector.ts';
import { shownMessage } from '../../../../server/api/localization/said.ts';
import type { Patient } from '../../../../server/api/toolDoctor.ts';

const home = mkdtempSync(path.join(tmpdir(), 'waybill-doctor-vi-'));
after(() => { rmSync(home, { recursive: true, force: true }); });

describe('what a check of a tool finds, in a Vietnamese editor', () => {
  it('is logged in English and shown in Vietnamese, with what it names inside', async () => {
    const environment = { CLAUDE_CODE_USE_BEDROCK: '1' };
    const storageFolder = path.join(home, 'storage');
    const connector = new ToolConnector({ home, environment }, storageFolder);
    const wanted = { url: 'http://127.0.0.1:7717', model: { requestedModel: 'best' }, at: 1 };
    await connector.connect('claude-code', { ...wanted, token: 'waybill-1' }, await connector.previewConnect('claude-code', wanted));
    const patient: Patient = {
      where: { home, environment }, storageFolder, folders: [], endpoint: { url: wanted.url }, offered: [],
      takesToken: () => Promise.resolve(true), versionOf: () => Promise.resolve('2.1.332'),
    };
    const finding = (await toolDoctor.examine('claude-code', patient)).find(one => one.kind === 'variable') ?? assert.fail();
    assert.equal(finding.message, 'CLAUDE_CODE_USE_BEDROCK is set in the environment and makes Claude Code ask Amazon Bedrock instead of Waybill: unset it where Claude Code is started.');
    const shown = shownMessage(finding);
    assert.doesNotMatch(shown, /is set in the environment|makes Claude Code ask|unset it/);
    assert.match(shown, /CLAUDE_CODE_USE_BEDROCK.*Amazon Bedrock.*Claude Code/);
  });
});
