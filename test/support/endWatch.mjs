/**
 * Loaded into every process of a test run (`--import`). A test file's process that has not ended some time after its last
 * test says what keeps it busy or alive, and fails. The run's own process, which starts the others, is not watched.
 */
import { after } from 'node:test';

const withinMs = Number(process.env.WAYBILL_TEST_END_MS ?? 20_000);

if (process.env.NODE_TEST_CONTEXT?.startsWith('child')) {
  after(async () => {
    const { expectEnd } = await import('../../server/app/endWatch.ts');
    expectEnd({ withinMs, subject: `The test process of ${process.argv[1] ?? 'an unknown file'}` });
  });
}
