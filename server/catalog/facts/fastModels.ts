/** Words by which makers name the small, quick model of a family: Haiku, Flash, mini, Luna, highspeed. */
const fastWords = /(?:^|[-.])(?:flash|haiku|mini|nano|luna|lite|highspeed|instant|turbo|air|small)(?:$|[-.])/;

/** Providers whose hardware answers quickly whatever the size of the model. */
const fastProviders: ReadonlySet<string> = new Set(['groq', 'cerebras', 'sambanova']);

/** Whether its maker sells a model as a small and quick one. @param canonical see canonicalModelName */
export function isFastModel(canonical: string): boolean {
  return fastWords.test(canonical);
}

/** Whether a provider's models are quick whatever their size. @param provider id in the catalog */
export function isFastProvider(provider: string): boolean {
  return fastProviders.has(provider);
}
