import type { PlannedTarget } from '../../api/receipt.ts';
import type { EndpointConfig, Timeouts } from '../../config/config.ts';
import type { HandedKey } from '../../keys/keyHandles.ts';
import type { Repair } from '../../protocols/repairs/repair.ts';
import type { ResolvedTarget } from '../../routing/routeTable.ts';
import type { Permit } from '../admission.ts';
import type { AttemptStarted } from '../events.ts';
import type { StartedAttempt } from './record.ts';

/** What an attempt came from; see launch.ts. */
export interface AttemptOrigin {
  target: PlannedTarget;
  /** The target as it was configured when the attempt began. */
  resolved: ResolvedTarget;
  /** Its endpoint, with the protocol that is spoken and the address of it. */
  endpoint: EndpointConfig;
  key: HandedKey | undefined;
  /** What the attempt took; given back once, at its end. */
  permit: Permit;
  /** What was changed of the request because the target refused it earlier; absent: nothing. */
  repairs?: readonly Repair[] | undefined;
  /** Reasoning that another provider made was left out, after the target refused it. */
  stripped?: boolean | undefined;
  started: StartedAttempt;
  /** The attempt as observers see it. */
  announced: AttemptStarted;
  timeouts: Timeouts;
  /** The timers it would have if no other target could take over. */
  fullTimeouts(): Timeouts;
}
