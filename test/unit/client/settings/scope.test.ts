import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { withRulesFile } from '../../../../server/config/language/rulesLanguage.ts';

interface Manifest { contributes: { configuration: { properties: Record<string, { scope?: string }> } | { properties: Record<string, { scope?: string }> }[] } }

const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, '..', '..', '..', '..', 'package.json'), 'utf8')) as Manifest;
const settings = [manifest.contributes.configuration].flat().flatMap(({ properties }) => Object.entries(properties));

describe('what a workspace can set', () => {
  it('is no setting of the extension', () => {
    assert.ok(settings.length > 10);
    assert.deepEqual(settings.filter(([, { scope }]) => scope !== 'application').map(([name]) => name), []);
  });

  it('is none of what only the configuration of serve says', () => {
    const names = settings.map(([name]) => name.split('.')[1]);
    for (const section of ['state', 'ledger', 'listen', 'network', 'telemetry', 'alerts']) assert.ok(!names.includes(section), section);
  });

  it('is nothing but rules, where a rules file of the user lies in it', () => {
    const text = [
      'routes: { coding: [openai/gpt-4.1] }', 'state: { redis: "redis://127.0.0.1:1" }', 'ledger: { postgres: "postgres://127.0.0.1/x", keepTitles: true }', 'listen: { host: 0.0.0.0 }', 'network: { proxy: "http://127.0.0.1:1" }', 'budgets: {}',
      'monitoring: { otlp: { endpoint: "http://127.0.0.1:1" }, alerts: { dear: { when: spend } } }', 'endpoints: { own: { provider: openai, baseUrl: "http://127.0.0.1:1" } }',
    ].join('\n');
    const { raw, problems } = withRulesFile({ routes: {} }, text, '/workspace/waybill.yaml', {});
    assert.deepEqual(Object.entries(raw).filter(([, value]) => value !== undefined), [['routes', { coding: ['openai/gpt-4.1'] }]]);
    assert.match(problems.map(({ message }) => message).join('\n'), /Endpoints of this file are not used in the editor/);
  });
});
