import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TreeElements } from '../../../../client/base/treeElements.ts';

interface Line { id: string; text: string; note?: string; children: Line[] }
const line = (id: string, text = id, ...children: Line[]): Line => ({ id, text, children });

/** A tree as the editor holds it: by the objects it was handed. */
function shown(): { elements: TreeElements<Line>; update: (...lines: Line[]) => (string | undefined)[] } {
  const elements = new TreeElements<Line>();
  return { elements, update: (...lines) => elements.update(lines).map(changed => changed?.id) };
}

describe('what of a tree is drawn again', () => {
  it('is nothing when nothing changed, however often it is looked at', () => {
    const { update } = shown();
    update(line('a', 'a', line('a/1')), line('b'));
    for (let tick = 0; tick < 100; tick += 1) assert.deepEqual(update(line('a', 'a', line('a/1')), line('b')), []);
  });

  it('is the one line that changed, known by the same object as before', () => {
    const { elements, update } = shown();
    update(line('a', 'a', line('a/1')), line('b'));
    const [first] = elements.lines;
    assert.deepEqual(update(line('a', 'other', line('a/1')), line('b')), ['a']);
    assert.equal(elements.lines[0], first);
    assert.equal(first?.text, 'other');
    assert.deepEqual(update(line('a', 'other', line('a/1', 'changed')), line('b')), ['a/1'], 'a line below, alone');
  });

  it('is the parent when lines under it come, go or move, and the whole tree when its first lines do', () => {
    const { elements, update } = shown();
    update(line('a', 'a', line('a/1'), line('a/2')), line('b'));
    const kept = elements.lines[0]?.children[1];
    assert.deepEqual(update(line('a', 'a', line('a/2')), line('b')), ['a']);
    assert.equal(elements.lines[0]?.children[0], kept, 'what stays is the same line');
    assert.deepEqual(update(line('b'), line('a', 'a', line('a/2'))), [undefined]);
    assert.deepEqual(update(), [undefined]);
  });

  it('forgets what a line no longer has', () => {
    const { elements, update } = shown();
    update({ ...line('a'), note: 'x' });
    assert.deepEqual(update(line('a')), ['a']);
    assert.ok(!('note' in (elements.lines[0] ?? {})));
  });
});
