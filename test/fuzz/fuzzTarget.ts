import type { ProtocolName } from '../../server/api/conversation.ts';
import type { ModelSettings } from '../../server/api/settings.ts';
import type { StrictProviderId } from '../../server/sandbox/strict/strictProviders.ts';

/** A strict simulator that the fuzz sends to, and the models it is asked for: one of each generation. */
export interface FuzzTarget {
  provider: StrictProviderId;
  protocol: ProtocolName;
  models: readonly string[];
  /** What is known of a model at the endpoint, as its list of models or the user tells. */
  facts?: Readonly<Record<string, ModelSettings>> | undefined;
}
