/** A part of an address without its percent-encoding; as it is where that is none. */
export function decodedPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The same, undefined where it is empty. */
export function givenPart(part: string): string | undefined {
  return part === '' ? undefined : decodedPart(part);
}
