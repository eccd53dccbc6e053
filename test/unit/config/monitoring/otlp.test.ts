import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MonitoringConfig } from '../../../../server/config/monitoring/monitoringConfig.ts';
import { resolveMonitoring } from '../../../../server/config/monitoring/resolveMonitoring.ts';

function resolved(otlp: unknown, environment: Record<string, string> = {}): { found: MonitoringConfig | undefined; problems: string[] } {
  const problems: string[] = [];
  const found = resolveMonitoring({ otlp }, environment, (where, message) => { problems.push(`${where.join('.')}: ${message}`); });
  return { found, problems };
}

describe('the export in the OpenTelemetry protocol', () => {
  test('is off where it is not written, and sends both signals where it is', () => {
    assert.equal(resolveMonitoring({}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' }, () => assert.fail()), undefined, 'variables alone switch nothing on');
    const { found, problems } = resolved({ endpoint: 'http://otel-collector:4318/' });
    assert.deepEqual(problems, []);
    assert.deepEqual(found?.otlp, {
      resource: { 'service.name': 'waybill' }, timeoutMs: 10_000, gzip: true,
      traces: { url: 'http://otel-collector:4318/v1/traces', headers: {}, share: 1, passOn: new Set(), prompts: false, answers: false, contentCharacters: 4000 },
      metrics: { url: 'http://otel-collector:4318/v1/metrics', headers: {}, everyMs: 60_000, temporality: 'cumulative' },
    });
    assert.equal(resolved({ endpoint: 'https://x.example', enabled: false }).found, undefined);
    assert.equal(resolved({ endpoint: 'https://x.example', traces: { enabled: false } }).found?.otlp?.traces, undefined);
  });

  test('takes secrets from the environment alone, and no log has them', () => {
    const { found } = resolved({ endpoint: 'https://otlp.example.com', headers: { Authorization: 'Bearer ${OTLP_TOKEN}', 'X-Scope-OrgID': 'team' } }, { OTLP_TOKEN: 'a-secret-token' });
    assert.deepEqual(found?.otlp?.traces?.headers, { 'authorization': 'Bearer a-secret-token', 'x-scope-orgid': 'team' });
    assert.deepEqual(found.secrets, ['Bearer a-secret-token', 'a-secret-token']);
    for (const headers of [{ authorization: 'Bearer abcdefgh12345678' }, { 'api-key': 'x' }, { 'x-other': 'sk-proj-abcdefghijklmnop1234' }]) {
      const { found: none, problems } = resolved({ endpoint: 'https://otlp.example.com', headers });
      assert.equal(none, undefined);
      assert.match(problems.join(), /is a secret; put it into an environment variable and write \$\{NAME\} here\.$/);
      assert.doesNotMatch(problems.join(), /abcdefgh/);
    }
  });

  test('says in one sentence what is wrong, and then sends nothing', () => {
    const cases: [unknown, RegExp][] = [
      [{}, /give "endpoint", the address of the receiver, or switch "fromEnvironment" on\.$/],
      [{ endpoint: 'http://collector.example.com:4318' }, /must begin with https:\/\//],
      [{ endpoint: 'https://user:pass@example.com' }, /must not hold a user name or password; put them into a header\.$/],
      [{ endpoint: 'https://example.com', headers: { authorization: '${UNSET}' } }, /the environment variable UNSET is not set\.$/],
      [{ endpoint: 'https://example.com', headers: { 'content-length': '1' } }, /"content-length" is not a header that can be set here\.$/],
      [{ endpoint: 'https://example.com', traces: { share: 2 } }, /"traces\.share" must be a number from 0 to 1\.$/],
    ];
    for (const [otlp, expected] of cases) {
      const { found, problems } = resolved(otlp);
      assert.equal(found, undefined);
      assert.ok(problems.length > 0 && problems.every(problem => problem.startsWith('monitoring.otlp') && problem.includes('Nothing is sent in the OpenTelemetry protocol: ')), problems.join());
      assert.match(problems[0] ?? '', expected);
    }
  });

  test('reads the standard variables where the configuration says so, for what is not written', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otlp.example.com/base/', OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret%20value,x-a=b', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'https://metrics.example.com/in', OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-a=c',
      OTEL_EXPORTER_OTLP_TIMEOUT: '3000', OTEL_EXPORTER_OTLP_COMPRESSION: 'none', OTEL_SERVICE_NAME: 'gateway', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,service.name=other',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25', OTEL_METRIC_EXPORT_INTERVAL: '15000', OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    };
    const { found, problems } = resolved({ fromEnvironment: true, resource: { 'deployment.environment.name': 'stage' } }, environment);
    assert.deepEqual(problems, []);
    assert.deepEqual(found?.otlp, {
      resource: { 'service.name': 'gateway', 'deployment.environment.name': 'stage' }, timeoutMs: 3000, gzip: false,
      traces: { url: 'https://otlp.example.com/base/v1/traces', headers: { 'api-key': 'secret value', 'x-a': 'b' }, share: 0.25, passOn: new Set(), prompts: false, answers: false, contentCharacters: 4000 },
      metrics: { url: 'https://metrics.example.com/in', headers: { 'api-key': 'secret value', 'x-a': 'c' }, everyMs: 15_000, temporality: 'delta' },
    });
    assert.ok(found.secrets.includes('secret value'));
    assert.equal(resolved({ fromEnvironment: true }, { OTEL_SDK_DISABLED: 'true' }).found, undefined);
    assert.equal(resolved({ fromEnvironment: true }, { OTEL_TRACES_EXPORTER: 'none' }).found?.otlp?.traces, undefined);
    assert.equal(resolved({ fromEnvironment: true }).found?.otlp?.metrics?.url, 'http://localhost:4318/v1/metrics');
    assert.match(resolved({ fromEnvironment: true }, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }).problems.join(), /set it to http\/json/);
    // Headers of the environment belong to its receiver, and go to no other.
    assert.deepEqual(resolved({ fromEnvironment: true, endpoint: 'https://elsewhere.example.com' }, environment).found?.otlp?.traces?.headers, {});
  });
});
