import type { Act, Step } from './acts.ts';

/** What a person asks for, after some seconds of reading and thinking, and the steps by which the model does it. */
export interface Prompt { readonly pause: number; readonly text: string; readonly steps: readonly Step[] }

export interface SessionScript {
  readonly name: string;
  /** An agent and the route it asks for, as in agents.ts. */
  readonly agent: string;
  readonly route: string;
  /** Of the model, in tokens: near its end, agents make a summary of the conversation. */
  readonly contextWindow: number;
  readonly prompts: readonly Prompt[];
}

const read = (...files: readonly string[]): Step => files.map((file): Act => ({ do: 'read', file }));
const search = (words: string, folder = 'server'): Step => [{ do: 'search', words, folder }];
const run = (command: string): Step => [{ do: 'run', command }];
const edit = (file: string, at: number): Step => [{ do: 'edit', file, at }];
const delegate = (...errands: readonly (readonly [string, readonly Step[]])[]): Step => errands.map(([name, steps]): Act => ({ do: 'delegate', name, steps }));
const prompt = (pause: number, text: string, ...steps: readonly Step[]): Prompt => ({ pause, text, steps });

const warmth = 'server/routing/warmth';
const testsOf = (name: string): Step => run(`node --test test/unit/routing/${name}`);

/**
 * What one developer does with several agents at once: the first pause of a session is when it begins. Someone who waits for one agent looks after
 * the next, and is away for a meeting once.
 */
export const afternoon: readonly SessionScript[] = [
  {
    name: 'a bug found, fixed and tested', agent: 'claude-code', route: 'auto', contextWindow: 200_000, prompts: [
      prompt(0, 'A conversation leaves its warm cache although the target is only a little slow. Find out why, and fix it in the code.',
        search('muchSooner'), read(`${warmth}/keepWarm.ts`), read(`${warmth}/warmCaches.ts`, `${warmth}/breakEven.ts`), search('firstTokenAverage'), read('server/timeouts/firstTokenAverages.ts'),
        read('server/routing/strategies/fastest.ts', 'server/routing/signals.ts'), run('git log --oneline'), read('test/unit/routing/warmth/keepWarm.test.ts'), edit(`${warmth}/keepWarm.ts`, 1), testsOf('warmth/keepWarm.test.ts'),
        run('git diff')),
      prompt(38, 'Now write a test that fails without the change.', read('test/unit/routing/routingFixture.ts'), search('describe', 'test/unit/routing/warmth'), edit('test/unit/routing/routingFixture.ts', 2), testsOf('warmth/keepWarm.test.ts'), run('git diff --stat')),
      prompt(25, 'Why is the threshold one half, and not something that is learnt?'),
      prompt(345, 'Rename the threshold everywhere, and say so in the documentation.',
        search('muchSooner', '.'), edit(`${warmth}/keepWarm.ts`, 0), search('begins to answer', 'docs'), read('docs/warm-caches.md'), testsOf('classify.test.ts'), run('git status --short')),
      prompt(40, 'Translate the sentence about it into German for the release notes.'),
      prompt(20, 'Commit it.', run('git add -A && git -c user.name=A -c user.email=a@example.com commit -q -m "The threshold has a name" && git log --oneline | head -3')),
    ],
  },
  {
    name: 'a refactoring, with a summary in between', agent: 'codex', route: 'gpt-5.5', contextWindow: 48_000, prompts: [
      prompt(35, 'Split makePlan.ts: what excludes targets goes to a file of its own. First read all that uses it.',
        read('server/routing/makePlan.ts'), search('makePlan'), read('server/routing/plan.ts'), read('server/routing/routeTable.ts'), read('server/routing/capabilities.ts'), read('server/routing/resolveName.ts'), read('server/routing/standIns.ts'),
        search('excluded'), read('test/unit/routing/makePlan.test.ts'), edit('server/routing/makePlan.ts', 0), edit('server/routing/plan.ts', 3), testsOf('makePlan.test.ts'), run('git diff')),
      prompt(55, 'Do the same for the dry run, and keep the names.',
        read('server/router/rules/dryRun.ts'), search('dryRun'), read('server/exchange/planner.ts'), edit('server/exchange/planner.ts', 0), read('server/routing/unknownName.ts'), edit('server/routing/unknownName.ts', 0), testsOf('unknownName.test.ts'),
        read('server/routing/resilience/whatIfView.ts'), edit('server/routing/resilience/whatIfView.ts', 1), testsOf('makePlan.test.ts'), run('git diff --stat')),
      prompt(70, 'Look once more for names that say something else than they do.', search('export function', 'server/routing'), read('server/routing/classify.ts'), edit('server/routing/classify.ts', 0), run('git diff --stat')),
    ],
  },
  {
    name: 'a review by several agents', agent: 'claude-code', route: 'auto', contextWindow: 200_000, prompts: [
      prompt(120, 'Review how requests are shared among keys and targets. Let two agents look through the halves, then check what they say yourself.',
        run('git log --oneline | head -5'), read('server/routing/strategies/orderRoute.ts'),
        delegate(
          ['keys', [search('class ', 'server/keys'), read('server/routing/turns.ts'), run('ls server/keys && wc -l server/keys/*.ts'), search('sticky'), read('server/routing/strategies/cheapest.ts'), run('wc -l server/limits/*.ts')]],
          ['targets', [run('ls server/routing/strategies'), read('server/routing/strategies/fastest.ts', 'server/routing/strategies/orderRoute.ts'), search('strategy', 'server/config'), read('server/routing/resilience/losses.ts'), testsOf('strategies/shares.test.ts')]],
        ),
        read('server/routing/turns.ts'), read('test/unit/routing/strategies/shares.test.ts'), search('round-robin'), testsOf('strategies/strategies.test.ts'), run('wc -l server/routing/strategies/*.ts')),
      prompt(65, 'Is the fairness of the shares proved for an outage too? Think about it in depth, as a proof.', read('server/routing/resilience/resilienceReport.ts'), search('outage', 'test/unit/routing')),
      prompt(50, '/compact'),
      prompt(15, 'Correct the two things that you found.', read('server/routing/turns.ts'), edit('server/routing/turns.ts', 0), read('server/routing/strategies/orderRoute.ts'), edit('server/routing/strategies/orderRoute.ts', 0), testsOf('strategies/shares.test.ts'), run('git diff')),
      prompt(90, 'Summarize the review in five lines for the ticket.'),
    ],
  },
  {
    name: 'a feature from a description', agent: 'codex', route: 'auto', contextWindow: 272_000, prompts: [
      prompt(200, 'Receipts are to say how long a prompt lay in the cache. Add it to the plan of a request.',
        search('PlannedCache'), read('server/api/receipt.ts'), read(`${warmth}/keepWarm.ts`), read(`${warmth}/warmCaches.ts`), search('cache.why'), read('server/router/observers/warmCachesObserver.ts'), edit('server/api/receipt.ts', 4), edit(`${warmth}/warmCaches.ts`, 1),
        testsOf('warmth/keepWarm.test.ts'), run('ls client && ls client/views'), search('plan.cache', 'client'), run('git diff')),
      prompt(30, 'The ledger wants a column for it. Look at how columns are added.', search('addColumn'), run('ls server/ledger server/ledger/sqlite'), search('migration', 'server/ledger'), run('head -60 server/ledger/sqlite/schema.ts || ls server/ledger/sqlite'), edit('server/api/receipt.ts', 5), run('git diff --stat')),
      prompt(80, 'Good. Write the documentation.', read('docs/warm-caches.md'), read('docs/configuration.md'), edit(`${warmth}/keepWarm.ts`, 0), testsOf('classify.test.ts'), run('git diff --stat')),
    ],
  },
  {
    name: 'documentation and questions', agent: 'opencode', route: 'auto', contextWindow: 44_000, prompts: [
      prompt(90, 'Which settings of a route does the configuration page not explain? Let another agent collect them first.',
        read('docs/configuration.md'), delegate(['settings', [search('optional(', 'server/config/schema.ts'), read('server/config/defaults.ts'), run('ls server/config'), read('server/config/resolve.ts')]]), search('warmCache', 'docs'), read('server/config/config.ts'), search('byKind', 'docs'),
        read('docs/budgets.md'), read('docs/caps.md'), run('wc -l docs/*.md')),
      prompt(35, 'Explain payBackTurns in two sentences.'),
      prompt(60, 'Add what is missing.', read('server/api/settings.ts'), edit('server/config/defaults.ts', 0), search('defaults', 'docs'), read('docs/tools.md'), edit('server/config/config.ts', 1), read('docs/translation.md'), run('git diff --stat'), read('docs/proxy.md'), testsOf('routeTable.test.ts')),
      prompt(310, 'Do the headings of all pages follow one form? Correct the others.', run("grep -n '^#' docs/*.md"), read('docs/classifier.md'), edit('server/config/defaults.ts', 0), run('git diff --stat')),
      prompt(30, 'Thanks. A title for the change, please.'),
    ],
  },
];
