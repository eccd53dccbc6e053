import type { Said } from '../api/localization/said.ts';
import type { ProtocolName } from '../api/conversation.ts';
import type { PriceSettings } from '../api/settings.ts';
import type { Dialect } from '../protocols/codec.ts';

/**
 * How a credential travels to a provider. `google-oauth`: an access token made of a service account's JSON or of the
 * machine's own Google login; a key that is no JSON is sent as `x-goog-api-key`. `aws`: an API key of Bedrock as a bearer
 * token; an access key, or the machine's own AWS credentials, by a signature (SigV4). `entra`: an access token of Microsoft Entra
 * ID by a login of the machine; a key is sent as `api-key`.
 */
export type AuthScheme = 'bearer' | 'x-api-key' | 'x-goog-api-key' | 'api-key' | 'google-oauth' | 'aws' | 'entra' | 'none';

/**
 * When a target is spoken to in another protocol than its endpoint's own; the first rule of a provider that holds
 * decides. `always`: for these models; `tools`: for requests with tools, unless reasoning is turned off; `caller`: for
 * callers who speak that protocol themselves, whose bytes then go through.
 */
export interface ProtocolRule {
  protocol: ProtocolName;
  /** Matches the bare model name in lower case; absent: every model. */
  models?: RegExp;
  when: 'always' | 'tools' | 'caller';
}

/** Paths of the calls of a protocol, relative to the base URL. `stream` where streams have a path of their own. */
export interface CallPaths { plain: string; stream?: string }

/** Prices a vendor publishes, offered for the user to check and change; never applied by themselves. */
export interface PricePreset {
  /** Where the figures were published, and when. */
  source: string;
  url: string;
  /** What to know before using them; one sentence. */
  caution: string;
  /** By canonical model name. */
  models: Readonly<Record<string, PriceSettings>>;
}

/** One of several places at which a provider can be reached. */
export interface Region {
  id: string;
  name: string;
  /** For the provider's default protocol, and for those that share its address. */
  baseUrl: string;
  /** For its other protocols, where they are there. */
  baseUrls?: Partial<Record<ProtocolName, string>>;
  /** What list prices are multiplied with there. */
  priceFactor?: number;
  /** Prices there are others than those of `pricesId`, and not known. */
  pricesDiffer?: true;
}

/** What a documented fact is about: a part of the entry, or a rule of its dialect. */
export type FactSubject = 'address' | 'keys' | 'models' | 'errors' | 'prices' | keyof Dialect;

/** Where facts of an entry stand. */
export interface FactSource {
  of: readonly FactSubject[];
  /** A page of the vendor's, or a public report. */
  url: string;
  /** The day on which it was read, or of which the copy is that was read: `2026-11-27`. */
  read: string;
  /** Another page that quotes the vendor's was read, and not the vendor's own. */
  secondary?: true;
}

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
  regions?: readonly Region[];
  /** Servers of this kind speak these protocols, too, below the same address: at an address of the user's, callers are answered in them. */
  protocolsAnywhere?: readonly ProtocolName[];
  /** Hosts that are the provider's own, where its base URLs do not tell them. */
  hosts?: readonly string[];
  /** How the address is made where it is not simply the base URL; see config/address.ts. */
  addressing?: 'azure' | 'vertex' | 'bedrock';
  /** An example for a user who has to give the base URL. */
  baseUrlExample?: string;
  auth: AuthScheme;
  /** Where a protocol wants the credential in another way. */
  authByProtocol?: Partial<Record<ProtocolName, AuthScheme>>;
  protocolRules?: readonly ProtocolRule[];
  /** Paths of chat calls that are not the protocol's own; `{model}`, `{project}`, `{location}` are filled in. */
  callPaths?: Partial<Record<ProtocolName, CallPaths>>;
  /** The same for endpoints with an `apiVersion`, which is filled in for `{apiVersion}`. */
  versionedPaths?: { calls: Partial<Record<ProtocolName, CallPaths>>; probe: string };
  /** Paths for models that are asked by Converse of Amazon Bedrock: all but Claude. */
  conversePaths?: CallPaths;
  /** Written before the model's name in the body of a protocol, such as `google/`. */
  modelPrefix?: Partial<Record<ProtocolName, string>>;
  /** anthropic-messages: the model stands in the path, and the version in the body under `anthropic_version`, with this value for the oldest version. */
  anthropicVersionInBody?: string;
  /** anthropic-messages: names of betas stand in the body under `anthropic_beta`, and only these are known there. */
  betasInBody?: readonly string[];
  keyRequired: boolean;
  keyHint?: string;
  keyPattern?: string;
  keyUrl?: string;
  billingUrl?: string;
  description?: Said;
  /** Runs on the user's machine: long first-token timers, served while offline, free. */
  local?: boolean;
  /** The server itself plays it: it is in no list of offers, and costs nothing. */
  simulated?: boolean;
  /** The cheapest call that proves something. `path` is relative to the base URL. */
  probe: { method: 'GET' | 'POST'; path: string; provesKey: boolean };
  /** Path of the model list, relative to the base URL; absent where the list does not say what can be asked for. */
  modelsPath?: string;
  /** A second list, whose models are added to those of the first. */
  moreModelsPath?: string;
  /** Path, from the root of the server, of a call that tells the facts of one model (`{"model": …}` posted). */
  modelDetailsPath?: string;
  /** Provider id in the price library; absent: no built-in prices. */
  pricesId?: string;
  /** What is charged depends on a contract or a region, so list prices are estimates. */
  pricesVary?: boolean;
  /** The same for models whose upstream name it matches. */
  pricesVaryFor?: RegExp;
  pricePreset?: PricePreset;
  /** Keys of one account share limits: a rate limit on one key will meet the next as well. */
  sharedLimits?: boolean;
  /**
   * How it counts, where that is published. `refills`: a limit fills up bit by bit, and its reset is the moment at which it
   * is full. `cachedFree`: prompt tokens read from a cache do not count.
   */
  rateLimits?: { refills?: boolean; cachedFree?: boolean };
  /** How the provider spells model names whose canonical form has dots. `claude-dashes`: only Claude's with dashes. */
  modelSpelling?: 'dots' | 'dashes' | 'claude-dashes' | 'fireworks';
  /** Its model names start with the maker's name, as in `anthropic/claude-sonnet-4.5`. */
  makerPrefix?: boolean;
  dialect: Dialect;
  /** Where the facts of this entry stand. */
  sources?: readonly FactSource[];
  /** What the vendor documents nowhere that was found, so that the entry says nothing about it; in words. */
  undocumented?: readonly string[];
  /** Provider-specific rules of the error classifier, tried before the generic ones. */
  errorRules?: readonly ErrorRule[];
}

/** When all given conditions hold, the failure has this class. */
export interface ErrorRule {
  status?: number;
  /** Matches the provider's type or code exactly. */
  code?: string;
  /** Stands somewhere in the provider's code. */
  codePart?: string;
  /** Case-insensitive substring of the message. */
  message?: string;
  failureClass: import('../api/failure.ts').FailureClass;
  /** What it speaks of, where neither its class nor its wording says it. */
  scope?: import('../api/failure.ts').RefusalScope;
}
