/** Two significant digits, without an exponent: `$0.14`. */
export function dollars(microUsd: number): string {
  if (microUsd === 0) return '$0';
  const usd = microUsd / 1e6;
  const digits = Math.max(2, Math.min(6, 1 - Math.floor(Math.log10(usd))));
  return `$${usd.toFixed(digits)}`;
}
