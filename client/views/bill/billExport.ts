import type { BillReport } from '../../../server/api/bill.ts';
import { csvText, microUsdToDecimal } from '../../../server/api/reports/csv.ts';

/** A comparison as CSV: one line for the total and one for each day and model. Money in US dollars with six decimals. */
export function billCsv({ totals, lines }: BillReport): string {
  const header = ['day', 'model', 'ours_usd', 'theirs_usd', 'difference_usd', 'our_requests', 'their_requests', 'our_tokens', 'their_tokens', 'reasons', 'requests'];
  return csvText([
    header,
    ['total', '', microUsdToDecimal(totals.oursMicroUsd), microUsdToDecimal(totals.theirsMicroUsd), microUsdToDecimal(totals.differenceMicroUsd)],
    ...lines.map(line => [
      line.day, line.model, microUsdToDecimal(line.oursMicroUsd), microUsdToDecimal(line.theirsMicroUsd), microUsdToDecimal(line.differenceMicroUsd),
      line.ourRequests, line.theirRequests, line.ourTokens, line.theirTokens,
      line.reasons.map(({ text }) => text).join(' '), [...new Set(line.reasons.flatMap(({ exchanges = [] }) => exchanges))].join(' '),
    ]),
  ]);
}
