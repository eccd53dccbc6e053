import type { JsonObject } from '../../base/json.ts';
import type { ObjectScan } from '../../base/objectScan.ts';
import type { Dialect } from '../codec.ts';

/** What a body is made fit for. */
export interface FitTarget {
  readonly dialect: Dialect;
  /** The upstream's own model name. */
  readonly model: string;
}

/** A body as its bytes, of which only the top level is known. */
export interface BodyBytes {
  readonly bytes: Buffer;
  readonly scan: ObjectScan;
}

/**
 * What targets of one protocol refuse, as rules on the body they are sent. They hold for bodies that a codec wrote and for
 * bodies that a caller of the same protocol wrote. `changes` takes what was changed, in words for the receipt.
 */
export interface BodyRules {
  /** Short top-level fields that `fitTop` reads. */
  readonly topFields: readonly string[];
  /** Changes short top-level fields in place. Other fields may be missing in `body`. */
  fitTop(body: JsonObject, target: FitTarget, changes: Set<string>): void;
  /** Whether `fitContent` may have something to do. False is certain. */
  mayHoldRefused(body: BodyBytes, target: FitTarget): boolean;
  /** Changes messages, tools and formats of a whole body. What stands in them is copied where it is changed. */
  fitContent(body: JsonObject, target: FitTarget, changes: Set<string>): void;
}
