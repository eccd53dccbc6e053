/** How a request is refused that is over a limit of its token. @param name whose the token is @param reason ends no sentence */
export function tokenRefusal(name: string, reason: string, waitMs: number): { readonly message: string; readonly waitS: number } {
  const waitS = Math.max(1, Math.ceil(waitMs / 1000));
  return { message: `The request of ${name} was not sent: ${reason}. Try again in ${String(waitS)} s, or have its access changed.`, waitS };
}
