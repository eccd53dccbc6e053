/**
 * A request of the protocol between client and server: its method, bound to the types of its parameters and its result.
 * Both sides take the types from here, so they cannot disagree.
 */
export interface RequestType<Params, Result> {
  readonly kind: 'request';
  readonly method: string;
  /** Never set: carries the types for the type checker. */
  readonly types?: ((params: Params) => Result) | undefined;
}

/** A notification of the protocol: its method, bound to the type of its parameters. */
export interface NotificationType<Params> {
  readonly kind: 'notification';
  readonly method: string;
  /** Never set: carries the type for the type checker. */
  readonly types?: ((params: Params) => void) | undefined;
}

/** The parameters of a request that has none: an empty object on the wire. */
export type NoParams = Record<string, never>;

/** Binds the method of a request to its types. */
export function requestType<Params, Result>(method: string): RequestType<Params, Result> {
  return { kind: 'request', method };
}

/** Binds the method of a notification to its type. */
export function notificationType<Params>(method: string): NotificationType<Params> {
  return { kind: 'notification', method };
}
