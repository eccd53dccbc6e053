/** A local moment to the minute: `2026-11-28 10:00`. @param at milliseconds since the epoch */
export function momentText(at: number): string {
  const date = new Date(at);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A span such as `15m`, `1h` or `7d`, of at most ten years, in milliseconds; undefined where the text is none. */
export function spanMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const lengthMs = Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  return lengthMs > 0 && lengthMs <= 3_660 * 86_400_000 ? lengthMs : undefined;
}
