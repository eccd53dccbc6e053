import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AdmissionSources } from '../../../../server/exchange/attempt/admissionControl.ts';
import type { Admission } from '../../../../server/health/healthReader.ts';
import { shadowAdmissionSources } from '../../../../server/router/shadow/shadowAdmission.ts';

type Sources = Parameters<typeof shadowAdmissionSources>[0];

/** Whether a copy may go to a target at each moment. */
function admitted(answer: Admission, moments: readonly number[], model = (index: number): string => `m${String(index * 0)}`): boolean[] {
  const { healthRegistry }: AdmissionSources = shadowAdmissionSources({ keys: {}, healthRegistry: { admission: () => answer } } as unknown as Sources);
  return moments.map((now, index) => {
    const admission = healthRegistry.enter('new', model(index), now, undefined);
    if (admission.admitted) assert.equal(admission.trial, false, 'a copy takes no trial of a caller');
    return admission.admitted;
  });
}

describe('the breaker of the target of a shadow', () => {
  it('that is closed lets every copy through', () => {
    assert.deepEqual(admitted({ admitted: true, trial: false }, [0, 1, 2]), [true, true, true]);
  });

  it('that is open lets none through', () => {
    assert.deepEqual(admitted({ admitted: false, reason: 'breaker open', retryAt: 5_000 }, [0, 1_000, 4_000]), [false, false, false]);
  });

  it('that is half-open lets one copy a second through, also where no caller asks the target', () => {
    assert.deepEqual(admitted({ admitted: true, trial: true }, [0, 1, 999, 1_000, 1_500, 2_000]), [true, false, false, true, false, true]);
  });

  it('that is half-open counts each target by itself', () => {
    assert.deepEqual(admitted({ admitted: true, trial: true }, [0, 0, 0], index => `m${String(index)}`), [true, true, true]);
  });
});
