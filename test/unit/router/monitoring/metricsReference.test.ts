import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { attemptAttributes, exchangeAttributes } from '../../../../server/router/monitoring/otlp/spanAttributes.ts';
import { allMetrics } from '../../../../server/router/monitoring/monitoringPart.ts';

const root = path.join(import.meta.dirname, '..', '..', '..', '..');
const { metricsReference } = await import(pathToFileURL(path.join(root, 'scripts', 'metricsReference.mjs')).href) as { metricsReference(): string };

const { telemetryReference } = await import(pathToFileURL(path.join(root, 'scripts', 'telemetryReference.mjs')).href) as { telemetryReference(): string };

describe('the tables of spans', () => {
  test('are the page of telemetry (npm run metrics writes it anew)', () => {
    assert.equal(readFileSync(path.join(root, 'docs', 'telemetry.md'), 'utf8'), telemetryReference());
  });

  test('have each attribute once', () => {
    for (const table of [exchangeAttributes, attemptAttributes]) {
      const names = table.map(({ name }) => name);
      assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
      for (const { name, help } of table) {
        assert.match(name, /^[a-z][a-z0-9_.]*$/);
        assert.match(help, /[.`]$/, name);
      }
    }
  });
});

describe('the table of metrics', () => {
  test('is the page of metrics (npm run metrics writes it anew)', () => {
    assert.equal(readFileSync(path.join(root, 'docs', 'metrics.md'), 'utf8'), metricsReference());
  });

  test('has each name once, and names that Prometheus takes', () => {
    const names = allMetrics.map(({ name }) => name);
    assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
    for (const { name, type, labels, help } of allMetrics) {
      assert.match(name, /^[a-z_][a-z0-9_]*$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      for (const label of labels) assert.match(label, /^[a-z_][a-z0-9_]*$/, name);
      assert.match(help, /\.$/, name);
    }
  });

  test('has no label that grows with use', () => {
    const fixed = new Set([
      'endpoint', 'provider', 'model', 'route', 'protocol', 'inbound', 'outcome', 'class', 'state', 'purpose', 'bucket', 'kind', 'budget', 'phase', 'version', 'reason', 'layer',
      'gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model', 'gen_ai_token_type', 'error_type',
      'requested_model', 'exception_class', 'api_provider', 'litellm_model_name', 'model_id',
    ]);
    assert.deepEqual(allMetrics.flatMap(({ labels }) => labels).filter(label => !fixed.has(label)), []);
  });
});
