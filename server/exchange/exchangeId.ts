import { randomUUID } from 'node:crypto';

/**
 * A new exchange's id: it begins with the time, so that the ledger's index grows at its end instead of everywhere.
 * @param now milliseconds since the epoch
 */
export function newExchangeId(now: number): string {
  return `swy_${now.toString(36).padStart(9, '0')}${randomUUID().replaceAll('-', '').slice(0, 14)}`;
}
