import type { ChildProcess } from 'node:child_process';
import { after } from 'node:test';

const running = new Set<ChildProcess>();

/** Ends a process with the test file that started it, whatever becomes of the test. Returns the process. */
export function endedWithTests<Child extends ChildProcess>(child: Child): Child {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
    // A pipe that a grandchild still holds must not keep the test process alive.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    child.unref();
  }
});
