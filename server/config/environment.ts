/** A text with its `${NAME}` references replaced, or what is wrong with them as the end of a sentence. */
export type Expanded =
  | { text: string; /** The variables it was made from, in order. */ names: string[] }
  | { problem: string; /** A variable is not set; absent: the text itself is wrong. */ unset?: true };

/**
 * Replaces every `${NAME}` by the value of that environment variable. A variable that is not set, or is empty, is an
 * error that names it.
 */
export function expandVariables(text: string, environment: Readonly<Record<string, string | undefined>>): Expanded {
  const names: string[] = [];
  const missing: string[] = [];
  let malformed = false;
  const expanded = text.replace(/\$\{([^}]*)(\}?)/g, (_reference, name: string, end: string) => {
    if (end === '' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      malformed = true;
      return '';
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined || value === '') missing.push(name);
    names.push(name);
    return value ?? '';
  });
  // Not repeated: the braces may hold the key itself.
  if (malformed) return { problem: 'a "${" is not followed by the name of an environment variable and "}"' };
  const [first, ...others] = new Set(missing);
  if (first === undefined) return { text: expanded, names };
  return { unset: true, problem: others.length === 0 ? `the environment variable ${first} is not set` : `the environment variables ${[first, ...others].join(', ')} are not set` };
}
