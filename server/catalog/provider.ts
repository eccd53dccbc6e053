import type { ProtocolName } from '../api/conversation.ts';
import type { Dialect } from '../protocols/codec.ts';

/** How a credential travels to a provider. */
export type AuthScheme = 'bearer' | 'x-api-key' | 'x-goog-api-key' | 'api-key' | 'none';

/** A vendor kind we know how to speak to. Entries are data; see providers.ts. */
export interface Provider {
  /** Stable id as written in configuration. */
  id: string;
  /** Other ids people write for it. */
  aliases?: readonly string[];
  name: string;
  protocol: ProtocolName;
  /** Base URL by protocol this provider can speak; the key of `protocol` is the default. Empty: the user gives it. */
  baseUrls: Partial<Record<ProtocolName, string>>;
  regions?: { id: string; name: string; baseUrl: string }[];
  auth: AuthScheme;
  keyRequired: boolean;
  keyHint?: string;
  keyPattern?: string;
  keyUrl?: string;
  billingUrl?: string;
  description?: string;
  /** Runs on the user's machine: long first-token timers, served while offline, free. */
  local?: boolean;
  /** The cheapest call that proves something. `path` is relative to the base URL. */
  probe: { method: 'GET' | 'POST'; path: string; provesKey: boolean };
  /** Path of the model list, relative to the base URL. */
  modelsPath?: string;
  /** Provider id in the price library; absent: no built-in prices. */
  pricesId?: string;
  /** Keys of one account share limits: a rate limit on one key will meet the next as well. */
  sharedLimits?: boolean;
  /** How the provider spells model names whose canonical form has dots. */
  modelSpelling?: 'dots' | 'dashes';
  /** Its model names start with the maker's name, as in `anthropic/claude-sonnet-4.5`. */
  makerPrefix?: boolean;
  dialect: Dialect;
  /** Provider-specific rules of the error classifier, tried before the generic ones. */
  errorRules?: readonly ErrorRule[];
}

/** When all given conditions hold, the failure has this class. */
export interface ErrorRule {
  status?: number;
  /** Matches the provider's type or code exactly. */
  code?: string;
  /** Case-insensitive substring of the message. */
  message?: string;
  failureClass: import('../api/failure.ts').FailureClass;
}
