import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOrphan, placeInPs, placeInStat, type ProcessPlace } from '../../../server/app/parentWatch.ts';

const place = (pid: number, parent: number, group: number, session?: number): ProcessPlace => ({ pid, parent, group, session });

describe('whether a process is an orphan at its first look', () => {
  const init = place(1, 0, 1, 1);
  const cases: [string, ProcessPlace, ProcessPlace, boolean][] = [
    ['a child of a shell', place(50, 40, 40, 30), place(40, 30, 40, 30), false],
    ['a command that a shell put into a group of its own', place(50, 40, 50, 30), place(40, 30, 40, 30), false],
    ['the second command of a pipeline', place(51, 40, 50, 30), place(40, 30, 40, 30), false],
    ['a service, which leads a session', place(50, 1, 50, 50), init, false],
    ['the command of a container under its init, which leads a group', place(50, 1, 50, 1), init, false],
    ['a child of a container\'s shell that is process 1', place(50, 1, 1, 1), init, false],
    ['a child of an ended process, adopted by process 1', place(50, 1, 40, 30), init, true],
    ['the same inside of a container, where all share a session', place(50, 1, 40, 1), init, true],
    ['a child of an ended process, adopted by the session\'s manager', place(50, 20, 40, 30), place(20, 1, 20, 20), true],
    ['a process that was started detached', place(50, 1, 50, 50), init, false],
    ['a child of an ended process where sessions are not known', place(50, 1, 40), place(1, 0, 1), true],
    ['a job of launchd', place(50, 1, 50), place(1, 0, 1), false],
  ];
  for (const [what, own, parent, orphan] of cases) it(`${what}: ${orphan ? 'yes' : 'no'}`, () => assert.equal(isOrphan(own, parent), orphan));

  it('reads what the system reports', () => {
    assert.deepEqual(placeInStat('123 (a) b (c) S 45 67 89 0 -1'), place(123, 45, 67, 89));
    assert.deepEqual(placeInPs('  123   1    45\n'), place(123, 1, 45));
    assert.equal(placeInPs(''), undefined);
    assert.equal(placeInStat('nonsense'), undefined);
  });
});
