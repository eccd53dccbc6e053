/** A key that stands somewhere on this machine. It lives as long as the question about it. */
export interface FoundKey {
  /** Where it stands, as a person knows the place. */
  place: string;
  /** The variable or field that holds it. */
  source: string;
  /** Id of the provider in the catalog. */
  provider: string;
  secret: string;
  /** Requests go to this address and not to the provider's own. */
  baseUrl?: string | undefined;
  /** It stands in files of a workspace and nowhere else, so others may have written it. */
  ofWorkspace?: true | undefined;
}

/** Something like a key that is left where it is. */
export interface NotTaken {
  place: string;
  source: string;
  /** Why, as one sentence. Never holds a value. */
  why: string;
}

/** An address to which a place sends the keys of a provider that have none of their own. */
export interface NamedAddress { place: string; provider: string; baseUrl: string }

export interface Findings { keys: FoundKey[]; notTaken: NotTaken[]; addresses?: NamedAddress[] }

/** A place where keys may stand. Nothing of it has been read. */
export interface KeyPlace {
  id: string;
  /** As a person knows it. */
  name: string;
  /** What is read there: files, or what else. */
  reads: string;
  /** It may be read without being chosen. */
  isPicked: boolean;
}

/** A value with where it stands, before it is known what it is. */
export interface NamedValue { place: string; source: string; value: string }

export const noFindings = (): Findings => ({ keys: [], notTaken: [] });

export function joined(all: readonly Findings[]): Findings {
  return { keys: all.flatMap(({ keys }) => keys), notTaken: all.flatMap(({ notTaken }) => notTaken), addresses: all.flatMap(({ addresses }) => addresses ?? []) };
}
