import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TreeElements } from '../../../client/base/treeElements.ts';
import { StatusItemWriter } from '../../../client/status/statusItem.ts';
import type { StatusItem } from '../../../client/status/statusItem.ts';
import { statusBarContent } from '../../../client/status/statusText.ts';
import { providerNodes } from '../../../client/views/providers/providersTreeModel.ts';
import type { TreeNode } from '../../../client/views/providers/treeNode.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { snapshotRouter } from '../router/snapshotRouter.ts';

/** A status bar item that counts what is written to it. */
class CountingItem implements StatusItem<string, string> {
  readonly written: string[] = [];
  set text(value: string) { this.written.push(`text ${value}`); }
  set tooltip(value: string | undefined) { this.written.push(`tooltip ${String(value)}`); }
  set command(value: unknown) { this.written.push(`command ${String(value)}`); }
  set accessibilityInformation(value: { label: string } | undefined) { this.written.push(`label ${String(value?.label)}`); }
  set backgroundColor(value: string | undefined) { this.written.push(`background ${String(value)}`); }
  show(): void { this.written.push('show'); }
  hide(): void { this.written.push('hide'); }
}

const content = (status: StatusSnapshot, now: number) => statusBarContent({ server: 'running', status, configuredEndpoints: 2, choice: 'both', now });
const writer = (item: CountingItem) => new StatusItemWriter(item, { tooltip: markdown => markdown, errorBackground: () => 'red' });

describe('an idle editor', () => {
  for (const { name, after } of [
    { name: 'after a failure that is over', after: 'recovered' },
    { name: 'while a provider is down', after: 'down' },
    { name: 'while every key is rate-limited', after: 'limited' },
  ] as const) {
    it(`is sent no new state and draws nothing ${name}`, () => {
      const testRouter = snapshotRouter();
      testRouter.answer('north');
      testRouter.forward(1234);
      testRouter.refuse('north', after === 'limited' ? 'rate-limit' : 'network', after === 'limited' ? 15 * 60_000 : undefined);
      testRouter.forward(3777);
      if (after === 'recovered') testRouter.answer('north');
      const item = new CountingItem();
      const bar = writer(item);
      const tree = new TreeElements<TreeNode>();
      const first = testRouter.snapshot();
      bar.write(content(first, testRouter.now()));
      tree.update(providerNodes(first, testRouter.now()));
      item.written.length = 0;
      const sent = new Set([JSON.stringify({ ...first, at: 0 })]);
      const drawn: (string | undefined)[] = [];
      for (let second = 0; second < 300; second += 1) {
        testRouter.forward(1000);
        const snapshot = testRouter.snapshot();
        sent.add(JSON.stringify({ ...snapshot, at: 0 }));
        bar.write(content(snapshot, testRouter.now()));
        drawn.push(...tree.update(providerNodes(snapshot, testRouter.now())).map(line => line?.id));
      }
      assert.deepEqual(item.written, []);
      assert.deepEqual(drawn, []);
      assert.equal(sent.size, 1, [...sent].join('\n'));
    });
  }

  it('writes only the part of the status bar that changed', () => {
    const testRouter = snapshotRouter();
    const item = new CountingItem();
    const bar = writer(item);
    bar.write(content(testRouter.snapshot(), testRouter.now()));
    item.written.length = 0;
    testRouter.answer('north');
    bar.write(content(testRouter.snapshot(), testRouter.now()));
    assert.deepEqual(item.written.map(entry => entry.split(' ')[0]), ['tooltip', 'label']);
    bar.write(undefined);
    bar.write(undefined);
    assert.deepEqual(item.written.slice(2), ['hide']);
  });
});
