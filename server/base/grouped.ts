/** 20000 as `20,000`, without loading the tables of `Intl` into every start. */
export function grouped(count: number): string {
  const digits = String(Math.round(count));
  if (!/^-?\d+$/.test(digits)) return digits;
  const first = digits.startsWith('-') ? 1 : 0;
  let text = digits;
  for (let at = digits.length - 3; at > first; at -= 3) text = `${text.slice(0, at)},${text.slice(at)}`;
  return text;
}
