import type { SandboxBehaviour } from '../../server/sandbox/sandboxBehaviour.ts';
import type { SandboxUsage } from '../../server/sandbox/wires/sandboxWire.ts';
import type { HealthySpan } from './judge.ts';
import type { ProviderName } from './requests.ts';

/** One request as a provider counted it. */
export interface Counted {
  provider: ProviderName;
  nonce: string;
  /** What the provider was doing to it. */
  behaviour: SandboxBehaviour['type'] | undefined;
  /** Status of its answer; absent when it sent none. */
  status: number | undefined;
  /** What the whole answer costs; absent when it gave none. */
  usage: SandboxUsage | undefined;
  /** Its last byte was handed out, and it was the whole answer. */
  whole: boolean;
}

/** A message of the parent to the process of the providers. */
export type ProviderOrder =
  /** Faults begin. */
  | { order: 'storm'; seed: number }
  /** All providers are well from now on. */
  | { order: 'calm' }
  /** Ends every connection that is open. */
  | { order: 'hang-up' };

/** A message of the process of the providers to its parent. */
export type ProviderWord =
  | { word: 'ready'; providers: { name: ProviderName; url: string }[] }
  | { word: 'counted'; requests: Counted[] }
  | { word: 'calm'; changes: number }
  /** How many requests had not ended when the providers closed their connections. */
  | { word: 'open'; requests: number }
  /** Everything since the last one; `spans` are final. */
  | { word: 'spans'; spans: HealthySpan[] }
  | { word: 'hung-up' };
