/** What a protocol calls an HTTP error, by its status. Statuses without a name of their own are named as 400 or 500. */
export type StatusNames<Name> = Readonly<Record<400 | 401 | 403 | 404 | 413 | 429 | 500, Name>>;

/** The name of an HTTP error. @param status 400 or more */
export function nameOfStatus<Name>(names: StatusNames<Name>, status: number): Name {
  return status in names ? names[status as keyof StatusNames<Name>] : status >= 500 ? names[500] : names[400];
}
