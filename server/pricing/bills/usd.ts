/** Amounts of bills are kept as whole billionths of a micro-dollar while they are summed, so that no cent is rounded away. */
const decimals = 15;
const perMicroUsd = 1_000_000_000n;

/**
 * An amount as a bill writes it: digits with a point, perhaps with a sign, an exponent, `$`, or commas between thousands.
 * @param shift decimal places by which it is smaller than dollars: 2 for cents
 * @returns undefined for what is no amount
 */
export function exactUsd(text: string, shift = 0): bigint | undefined {
  const plain = text.trim().replace(/^(-?)\$/, '$1').replace(/^(-?\d{1,3}(?:,\d{3})+)(?=\.|$)/, whole => whole.replaceAll(',', ''));
  const parts = /^([+-]?)(\d{1,15})?(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(plain);
  if (parts === null || (parts[2] === undefined && parts[3] === undefined)) return undefined;
  const fraction = parts[3] ?? '';
  const digits = BigInt(`${parts[2] ?? ''}${fraction}`);
  const places = decimals - fraction.length + Number(parts[4] ?? 0) - shift;
  const value = places >= 0 ? digits * 10n ** BigInt(places) : digits / 10n ** BigInt(-places);
  return parts[1] === '-' ? -value : value;
}

/** Rounded half away from zero. */
export function microUsdOf(exact: bigint): number {
  const half = exact < 0n ? -perMicroUsd / 2n : perMicroUsd / 2n;
  return Number((exact + half) / perMicroUsd);
}
