import { randomBytes } from 'node:crypto';

/**
 * Makes ids of new exchanges, `wb_` in front. They go on with the time, so that the ledger's index grows at its end instead of
 * everywhere; what follows is random for each maker and counted within it, so that two processes never meet.
 */
export function exchangeIds(): (now: number) => string {
  const maker = randomBytes(6).toString('hex');
  let count = 0;
  return now => {
    count = (count + 1) % 46_656;
    return `wb_${now.toString(36).padStart(9, '0')}${count.toString(36).padStart(3, '0')}${maker}`;
  };
}
