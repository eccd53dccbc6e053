import type { ChaosReport } from './chaosRun.ts';
import { megabytes } from './leaks.ts';

const shownViolations = 30;

/** Violations that differ only in numbers and names count as one kind; the most frequent kinds first. */
function kindsOf(violations: readonly string[]): [string, number][] {
  const kinds = Map.groupBy(violations, violation => (violation.split('\n', 1)[0] ?? '').replace(/^q\d+( \(\w+\))?: /, '').replace(/\b[abcd]\d*( and [abcd])*( [abcd]\d+)*\b/g, 'X').replace(/\d+/g, 'N').slice(0, 160));
  return [...kinds].map(([kind, all]): [string, number] => [kind, all.length]).sort((one, other) => other[1] - one[1]);
}

/** The report as a person reads it. */
export function reportText(report: ChaosReport): string {
  const { options, seconds, outcomes, guarded, ledger, holdings, violations } = report;
  const { before, afterEachQuarter } = holdings;
  const all = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const perQuarter = (figure: (one: typeof before) => number | undefined): string => [before, ...afterEachQuarter].map(one => figure(one) ?? '-').join(' -> ');
  return [
    `seed ${options.seed}: ${all} requests by ${options.concurrency} callers in ${seconds.toFixed(0)} s, ${report.faultChanges} changes of what providers do`,
    `outcomes: ${outcomes.right} right, ${outcomes.error} errors, ${outcomes['error-after-words']} errors after the first words, ${outcomes.cancelled} cancelled, ${outcomes.wrong} wrong`,
    `a target was healthy throughout ${guarded.requests}; of ${guarded.owed} that had to succeed ${guarded.kept} did`,
    `ledger: ${ledger.attempts} attempts (${Object.entries(ledger.byRole).map(([role, count]) => `${count} ${role}`).join(', ') || 'no roles'}), ${ledger.unseen} never reached a provider, ${ledger.estimated} with estimated cost`,
    `whole answers in the ledger / at the providers: ${ledger.ledger.attempts} / ${ledger.providers.attempts}, input ${ledger.ledger.inputTokens} / ${ledger.providers.inputTokens}, `
      + `output ${ledger.ledger.outputTokens} / ${ledger.providers.outputTokens} tokens, ${ledger.ledger.microUsd} / ${ledger.providers.microUsd} micro-dollars`,
    `held before and after each quarter: sockets ${perQuarter(one => one.openSockets)}, files ${perQuarter(one => one.openFiles)}, timers ${perQuarter(one => one.objects.timers)}, `
      + `emitters ${perQuarter(one => one.objects.emitters)}, live memory ${perQuarter(one => megabytes(one.heapUsed + one.external))} MB, resident ${perQuarter(one => megabytes(one.rss))} MB`,
    ...(violations.length === 0 ? ['no promise was broken'] : [
      `${violations.length} broken promises; the same faults come again with --seed ${options.seed} --requests ${options.requests} --concurrency ${options.concurrency}:`,
      ...kindsOf(violations).map(([kind, count]) => `  ${count} x ${kind}`),
      ...violations.slice(0, shownViolations).map(violation => `  - ${violation}`),
    ]),
    '',
  ].join('\n');
}
