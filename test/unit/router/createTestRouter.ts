import { createRouter, type BuiltRouter, type CreateRouterOptions } from '../../../server/app/createRouter.ts';
import { silentLog } from '../../../server/base/log.ts';
import { SecretRegister } from '../../../server/base/secrets/redact.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import { InMemoryLedger } from '../ledger/inMemoryLedger.ts';
import { noon } from '../ledger/receipts.ts';

/** A router with its real parts on fakes: a ledger in memory, a clock that stands at noon, a price table that never loads. */
export function createTestRouter(options: Partial<CreateRouterOptions> = {}): BuiltRouter {
  return createRouter({
    ledger: new InMemoryLedger(), pricer: createPricer({ log: silentLog, load: () => new Promise(() => {}) }), register: new SecretRegister(),
    clock: { now: () => noon }, random: () => 0.5, log: silentLog, ...options,
  });
}
