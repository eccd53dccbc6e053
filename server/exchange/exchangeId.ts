import { randomBytes } from 'node:crypto';

const digits = '0123456789abcdefghijklmnopqrstuvwxyz';
/** How many numbers have three digits of base 36 at most. */
const triples = 36 ** 3;

/** A number below `triples` with all three digits. */
function threeDigits(value: number): string {
  return (digits[Math.floor(value / 1296)] ?? '') + (digits[Math.floor(value / 36) % 36] ?? '') + (digits[value % 36] ?? '');
}

/**
 * Makes ids of new exchanges, `wb_` in front. They go on with the time, so that the ledger's index grows at its end instead of
 * everywhere; what follows is random for each maker and counted within it, so that two processes never meet.
 */
export function exchangeIds(): (now: number) => string {
  const maker = randomBytes(6).toString('hex');
  let count = 0;
  // The engine writes base 36 slowly. The digits in front are the same for 46 seconds.
  let front = -1;
  let frontText = '';
  return now => {
    count = (count + 1) % triples;
    const whole = Math.floor(now);
    const last = whole % triples;
    if (front !== whole - last) {
      front = whole - last;
      frontText = `wb_${(front / triples).toString(36).padStart(6, '0')}`;
    }
    return frontText + threeDigits(last) + threeDigits(count) + maker;
  };
}
