import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KeyMaterial } from '../../../../server/api/messages.ts';
import type { LimitSettings } from '../../../../server/api/settings.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import type { EndpointConfig } from '../../../../server/config/config.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import type { AdmissionRequest, ImmediateAdmissionControl, Permit } from '../../../../server/exchange/admission.ts';
import { EarlyAttempts } from '../../../../server/exchange/attempt/earlyAttempts.ts';
import { admissionControlOf, createAdmissionControl } from '../../../../server/exchange/attempt/admissionControl.ts';
import type { AdmissionPart } from '../../../../server/exchange/attempt/admissionParts.ts';
import type { NetworkAwareHealthRegistry } from '../../../../server/health/healthReader.ts';
import { createHealthRegistry } from '../../../../server/health/registry.ts';
import { KeyPool } from '../../../../server/keys/keyPool.ts';
import { Allowances } from '../../../../server/limits/allowances/allowances.ts';
import { MemoryAllowanceStore } from '../../../../server/limits/allowances/memoryAllowanceStore.ts';
import { createRateLimiter, type RateLimiter } from '../../../../server/limits/rateLimiter.ts';
import { SharedLimits } from '../../../../server/limits/sharedLimits.ts';
import { InMemoryLimits } from '../../limits/inMemoryLimitStore.ts';
import { rateRequest } from '../../limits/rateRequest.ts';

const start = Date.UTC(2026, 0, 1);
const one: KeyMaterial = { id: 'k1', label: 'one', secret: 'the-first-secret-aaaa' };
const two: KeyMaterial = { id: 'k2', label: 'two', secret: 'the-second-secret-bbbb' };

/** Admission over real keys, breakers and limits of endpoint `a`. The test moves the clock. */
class AdmissionUnderTest {
  now = start;
  readonly endpoint: EndpointConfig;
  /** Why requests go around endpoints. */
  readonly paused = new Map<string, string>();
  readonly keys = new KeyPool();
  readonly healthRegistry: NetworkAwareHealthRegistry = createHealthRegistry({ random: () => 0.5, startedAt: start });
  readonly limiter: RateLimiter;
  readonly allowances = new Allowances(new MemoryAllowanceStore());
  readonly control: ImmediateAdmissionControl;

  constructor(limits: LimitSettings = {}, keys: readonly KeyMaterial[] = [one], shared?: SharedLimits) {
    const { config, problems } = resolveConfig({
      endpoints: { a: { provider: 'openai-compatible', baseUrl: 'https://a.example.com/v1', limits, breaker: { failures: 1, openForMs: 30_000 } } }, routes: {},
    }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
    assert.deepEqual(problems, []);
    this.endpoint = config.endpoints.get('a') ?? assert.fail();
    this.keys.configure(new Map([['a', keys]]), config.endpoints);
    this.healthRegistry.configure(config.endpoints);
    this.limiter = createRateLimiter({ shared });
    this.limiter.configure(config.endpoints);
    this.control = createAdmissionControl({ clock: { now: () => this.now }, pauses: { reason: endpoint => this.paused.get(endpoint) }, keys: this.keys, healthRegistry: this.healthRegistry, limiter: this.limiter, early: new EarlyAttempts(), allowances: this.allowances });
  }

  request(changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
    return { endpoint: this.endpoint, model: 'm', estimatedInputTokens: 0, maxOutputTokens: undefined, excludedKeys: new Set(), lastResort: false, ...changes };
  }

  permit(changes: Partial<AdmissionRequest> = {}): Permit {
    const admitted = this.control.acquire(this.request(changes));
    assert.ok(admitted.admitted, admitted.admitted ? '' : admitted.reason);
    return admitted;
  }

  refusal(changes: Partial<AdmissionRequest> = {}): string {
    const admitted = this.control.acquire(this.request(changes));
    assert.ok(!admitted.admitted, 'should be refused');
    return admitted.reason;
  }

  /** Opens the breaker of the model and lets the open time pass, so that the next attempt is the trial. */
  awaitTrial(): void {
    this.healthRegistry.record({ endpoint: 'a', model: 'm', at: this.now, kind: 'probe', failureClass: 'server' });
    this.now += 30_000;
  }
}

describe('a permit', () => {
  it('holds the key, the slot at the breaker and the slots under the limits', () => {
    const made = new AdmissionUnderTest({ concurrency: 1 });
    made.awaitTrial();
    const permit = made.permit();
    assert.deepEqual([permit.key?.id, permit.trial], ['k1', true]);
    assert.equal(made.healthRegistry.admission('a', 'm', made.now).admitted, false, 'the trial is running');
    assert.equal(made.limiter.admission('a', 0, made.now).admitted, false, 'one request runs');
  });

  it('is decided synchronously, without a promise', () => {
    assert.ok(!(new AdmissionUnderTest().control.acquire(new AdmissionUnderTest().request()) instanceof Promise));
  });

  it('that is refunded leaves nothing counted', () => {
    const made = new AdmissionUnderTest({ requestsPerMinute: 1, tokensPerMinute: 100, concurrency: 1, perKey: { requestsPerMinute: 1 } });
    made.awaitTrial();
    made.permit({ estimatedInputTokens: 60, maxOutputTokens: 40 }).refund();
    const again = made.permit({ estimatedInputTokens: 60, maxOutputTokens: 40 });
    assert.equal(again.trial, true);
  });

  it('that is released frees its slots, and its usage stays counted', () => {
    const made = new AdmissionUnderTest({ tokensPerMinute: 100, concurrency: 1 });
    made.awaitTrial();
    made.permit({ estimatedInputTokens: 50 }).release(70);
    assert.match(made.refusal({ estimatedInputTokens: 31 }), /100 tokens a minute is used up/);
    assert.equal(made.permit({ estimatedInputTokens: 30 }).trial, true, 'the released attempt proved nothing');
  });

  it('whose usage is unknown keeps its estimate counted', () => {
    const made = new AdmissionUnderTest({ tokensPerMinute: 100 });
    made.permit({ estimatedInputTokens: 50, maxOutputTokens: 20 }).release('unknown');
    assert.match(made.refusal({ estimatedInputTokens: 31 }), /100 tokens a minute is used up/);
    made.permit({ estimatedInputTokens: 30 });
  });

  it('that is settled frees its slots under the limits, and leaves the trial to the outcome', () => {
    const made = new AdmissionUnderTest({ concurrency: 1 });
    made.awaitTrial();
    const permit = made.permit();
    permit.settle('unknown');
    assert.equal(made.limiter.admission('a', 0, made.now).admitted, true);
    assert.equal(made.healthRegistry.admission('a', 'm', made.now).admitted, false, 'the trial still waits for its outcome');
    made.healthRegistry.record({ endpoint: 'a', model: 'm', at: made.now, kind: 'traffic', trial: permit.trial });
    made.permit();
  });

  it('that is settled as unsent leaves nothing counted', () => {
    const made = new AdmissionUnderTest({ requestsPerMinute: 1 });
    made.permit().settle('unsent');
    made.permit();
  });

  for (const first of ['refund', 'settle', 'release'] as const) {
    for (const second of ['refund', 'settle', 'release'] as const) {
      it(`gives back once: after ${first}, ${second} does nothing`, () => {
        const made = new AdmissionUnderTest({ concurrency: 2, tokensPerMinute: 1000 });
        // The ramp after an outage counts running attempts and allows at most two.
        made.healthRegistry.record({ endpoint: 'a', model: 'm', at: made.now, kind: 'probe', failureClass: 'server' });
        const end = (permit: Permit, how: typeof first): void => {
          if (how === 'refund') permit.refund();
          else permit[how](100);
        };
        const ended = made.permit({ lastResort: true, estimatedInputTokens: 400 });
        made.permit({ lastResort: true, estimatedInputTokens: 400 });
        end(ended, first);
        end(ended, second);
        end(ended, second);
        made.permit({ lastResort: true });
        assert.match(made.refusal({ lastResort: true }), /2 requests at once is reached/);
        const left = 1000 - 400 - (first === 'refund' ? 0 : 100);
        assert.equal(made.limiter.admission('a', left, made.now + 1).admitted, false, 'two run');
        const reference = new AdmissionUnderTest({ tokensPerMinute: 1000 });
        const counted = reference.permit({ estimatedInputTokens: 400 });
        reference.permit({ estimatedInputTokens: 400 });
        end(counted, first);
        end(counted, second);
        assert.equal(reference.limiter.admission('a', left, made.now).admitted, true);
        assert.equal(reference.limiter.admission('a', left + 1, made.now).admitted, false);
      });
    }
  }
});

describe('admission that is refused takes nothing', () => {
  it('by the breaker', () => {
    const made = new AdmissionUnderTest({ requestsPerMinute: 1 });
    made.healthRegistry.record({ endpoint: 'a', model: 'm', at: made.now, kind: 'traffic', failureClass: 'server' });
    for (let times = 0; times < 3; times += 1) assert.match(made.refusal(), /next try in 30 s/);
    made.permit({ lastResort: true });
  });

  it('by a limit: the trial is still available', () => {
    const made = new AdmissionUnderTest({ requestsPerMinute: 1 });
    made.permit().release('unknown');
    made.awaitTrial();
    for (let times = 0; times < 3; times += 1) assert.match(made.refusal(), /1 requests a minute is used up/);
    made.now = start + 61_000;
    assert.equal(made.permit().trial, true);
  });

  it('for lack of a key: the reason is that of the keys, even where the breaker would refuse too', () => {
    const made = new AdmissionUnderTest({ requestsPerMinute: 1 });
    made.healthRegistry.record({ endpoint: 'a', model: 'm', at: made.now, kind: 'traffic', failureClass: 'server' });
    made.keys.report('a', 'k1', 'auth', made.now);
    assert.equal(made.refusal(), 'the provider rejected every key');
    assert.equal(made.control.hasUsableKey(made.request()), false);
  });

  it('when every key has been tried', () => {
    const made = new AdmissionUnderTest();
    assert.equal(made.refusal({ excludedKeys: new Set(['k1']) }), 'no key of it can be used now');
  });
});

describe('the choice of the key', () => {
  it('skips keys at their own limit, and excluded keys', () => {
    const made = new AdmissionUnderTest({ perKey: { requestsPerMinute: 1 } }, [one, two]);
    assert.equal(made.permit().key?.id, 'k1');
    assert.equal(made.control.hasUsableKey(made.request({ excludedKeys: new Set(['k2']) })), false);
    assert.equal(made.permit().key?.id, 'k2');
    assert.match(made.refusal(), /every key is at its limit/);
  });

  it('takes the next key when peers have used up the first one, which only the shared count shows', () => {
    const limits = new InMemoryLimits();
    const settings = { perKey: { requestsPerMinute: 1 } };
    const peer = createRateLimiter({ shared: new SharedLimits(limits.of('peer')) });
    peer.configure(new Map([['a', { limits: settings }]]));
    const made = new AdmissionUnderTest(settings, [one, two], new SharedLimits(limits.of('own')));
    made.now = start - 30_000;
    made.awaitTrial();
    assert.ok(peer.enter(rateRequest({ keyId: 'k1', now: start })).admitted);
    const permit = made.permit();
    assert.deepEqual([permit.key?.id, permit.trial], ['k2', true]);
    permit.refund();
    assert.ok(peer.enter(rateRequest({ keyId: 'k2', now: start })).admitted, 'the refund reached the shared count');
    assert.match(made.refusal(), /limit set for each key of 1 requests a minute is used up/);
    assert.equal(made.healthRegistry.admission('a', 'm', made.now).admitted, true, 'the slot at the breaker was given back');
  });

  it('needs no key when the endpoint has none', () => {
    assert.equal(new AdmissionUnderTest({}, []).permit().key, undefined);
  });
});

describe('the parts of admission', () => {
  function part(name: string, log: string[], take: 'takes' | 'refuses' | 'throws' = 'takes', giveBack: 'gives' | 'throws' = 'gives'): AdmissionPart {
    return {
      take() {
        log.push(`take ${name}`);
        if (take === 'throws') throw new Error(`${name} is broken`);
        return take === 'refuses' ? { admitted: false, reason: `${name} refuses` } : undefined;
      },
      giveBack(_grant, used, proved) {
        log.push(`give ${name} ${used} ${proved}`);
        if (giveBack === 'throws') throw new Error(`${name} is broken`);
      },
    };
  }
  const request = new AdmissionUnderTest().request();
  const acquire = (parts: readonly AdmissionPart[]): ReturnType<ImmediateAdmissionControl['acquire']> =>
    admissionControlOf({ now: () => start }, { usable: () => undefined }, parts).acquire(request);

  it('are asked in order, and given back in reverse order when a later one refuses', () => {
    const log: string[] = [];
    const admitted = acquire([part('key', log), part('breaker', log), part('budget', log, 'refuses'), part('limits', log)]);
    assert.deepEqual(admitted, { admitted: false, reason: 'budget refuses' });
    assert.deepEqual(log, ['take key', 'take breaker', 'take budget', 'give breaker unsent false', 'give key unsent false']);
  });

  it('are given back when a later one throws', () => {
    const log: string[] = [];
    assert.throws(() => acquire([part('key', log), part('breaker', log, 'throws')]), /breaker is broken/);
    assert.deepEqual(log, ['take key', 'take breaker', 'give key unsent false']);
  });

  it('are all given back even when one of them throws', () => {
    const log: string[] = [];
    const admitted = acquire([part('key', log), part('breaker', log, 'takes', 'throws')]);
    assert.ok(admitted.admitted);
    assert.throws(() => admitted.settle(12), /breaker is broken/);
    admitted.settle(12);
    assert.deepEqual(log, ['take key', 'take breaker', 'give breaker 12 true', 'give key 12 true']);
  });
});

describe('a pause', () => {
  it('that came after the plan refuses the attempt, a forced one too, and takes nothing', () => {
    const made = new AdmissionUnderTest({ concurrency: 1 });
    made.paused.set('a', 'it is paused until 18:05');
    for (const lastResort of [false, true]) assert.equal(made.refusal({ lastResort }), 'it is paused until 18:05');
    assert.equal(made.limiter.admission('a', 0, made.now).admitted, true);
  });
});
