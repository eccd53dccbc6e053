/**
 * Loaded into every process of a test run (`--import`). A test file's process that has not ended some time after its last
 * test says what keeps it busy or alive, and fails. The run's own process, which starts the others, is not watched.
 */
import { after } from 'node:test';

const withinMs = Number(process.env.WAYBILL_TEST_END_MS ?? 20_000);

if (process.env.NODE_TEST_CONTEXT?.startsWith('child')) {
  after(async () => {
    // A process that ends by itself closes its handles in native code once its threads are gone. Node sometimes spins there, on
    // a request whose socket is already closed, and no watch can report it. process.exit() ends the process without that step;
    // this listener runs behind the test runner's own, so that the exit code is set.
    process.on('exit', () => process.exit());
    const { expectEnd } = await import('../../server/app/endWatch.ts');
    expectEnd({ withinMs, subject: `The test process of ${process.argv[1] ?? 'an unknown file'}` });
  });
}
