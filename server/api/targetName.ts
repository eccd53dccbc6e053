/** `endpoint/model`: how settings, callers and receipts name a target. Names of endpoints hold no slash. */
export function targetName(endpoint: string, model: string): string {
  return `${endpoint}/${model}`;
}

/**
 * The two parts of `endpoint/model`; the model's own name may hold slashes.
 * @returns undefined where a part is missing
 */
export function parseTargetName(name: string): { endpoint: string; model: string } | undefined {
  const slash = name.indexOf('/');
  if (slash <= 0 || slash === name.length - 1) return undefined;
  return { endpoint: name.slice(0, slash), model: name.slice(slash + 1) };
}
