import type { Purpose } from '../../api/purpose.ts';
import type { Clock } from '../../base/clock.ts';
import { decidePurpose } from '../../routing/purpose/decidePurpose.ts';
import type { DecisionMemory } from '../../routing/purpose/decisionMemory.ts';
import { statedPurpose } from '../../routing/purpose/statedPurpose.ts';
import type { ExchangeInput } from '../request.ts';
import { recentSteps } from './recentSteps.ts';

export interface PurposeServices {
  readonly decisions: Pick<DecisionMemory, 'before' | 'keep'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** What a request is for, by what it says itself, by what its conversation was taken for before, and by its text. */
export function purposeOf(input: ExchangeInput, identity: { readonly conversation: string }, { decisions, clock }: PurposeServices): Purpose {
  const { headers, caller, requestedModel, requirements, body } = input;
  const stated = statedPurpose({ headers, caller, requestedModel, completion: body.kind === 'completion' });
  const now = clock.now();
  const { purpose, decision } = decidePurpose({ stated, steps: () => recentSteps(body), tools: requirements.tools, before: () => decisions.before(identity.conversation, now) });
  if (decision !== undefined) decisions.keep(identity.conversation, decision, now);
  return purpose;
}
