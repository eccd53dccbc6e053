import type { FailureClass } from '../../../server/api/failure.ts';
import type { NetworkAwareHealthRegistry, Outcome, HealthReading } from '../../../server/health/healthReader.ts';
import { createHealthRegistry } from '../../../server/health/registry.ts';

export const start = Date.UTC(2026, 0, 1);
export const breaker = { failures: 5, failureRate: 0.5, minimumAttempts: 10, windowMs: 600_000, openForMs: 60_000, maxOpenForMs: 600_000, halfOpenProbes: 3 };

/** A registry with endpoints `a`, `b`, `c` on the internet and `local` on this machine, and a clock that the test moves. */
export class RegistryUnderTest {
  now = start;
  readonly healthRegistry: NetworkAwareHealthRegistry;
  readonly endpoints = new Map<string, HealthReading>(
    ['a', 'b', 'c'].map((name): [string, HealthReading] => [name, { breaker, baseUrl: `https://${name}.example.com/v1` }]),
  );

  constructor() {
    this.endpoints.set('local', { breaker, baseUrl: 'http://127.0.0.1:11434/v1' });
    this.healthRegistry = createHealthRegistry({ random: () => 0.5, startedAt: start });
    this.healthRegistry.configure(this.endpoints);
  }
  record(outcome: Partial<Outcome> = {}): void {
    this.healthRegistry.record({ endpoint: 'a', at: this.now, kind: 'traffic', ...outcome });
  }
  fail(failureClass: FailureClass, outcome: Partial<Outcome> = {}): void {
    this.record({ failureClass, ...outcome });
  }
  state(endpoint = 'a'): string {
    return this.healthRegistry.health(endpoint, this.now).state;
  }
  reason(model?: string, endpoint = 'a'): string | undefined {
    const admission = this.healthRegistry.admission(endpoint, model, this.now);
    return admission.admitted ? undefined : admission.reason;
  }
  openBreaker(failureClass: FailureClass = 'server'): void {
    for (let index = 0; index < 5; index += 1) this.fail(failureClass);
  }
}
