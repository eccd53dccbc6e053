import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from '../repository/importGraph.ts';

const { contentsOf } = await import(pathToFileURL(path.join(root, 'scripts/build.mjs')).href) as { contentsOf(name: string): Promise<Map<string, number>> };

/** What is compiled whenever a window of the editor opens, in bytes. V8 takes about a millisecond for 30 KB. */
const mostBytes = 240_000;

describe('what the extension loads when it is activated', async () => {
  const contents = await contentsOf('client.js');

  it('is its own code: no package', () => {
    assert.deepEqual([...contents.keys()].filter(file => file.includes('node_modules/')), []);
  });

  it('has no command in it, and nothing that edits files of other tools', () => {
    const files = [...contents].filter(([, bytes]) => bytes > 0).map(([file]) => file);
    assert.deepEqual(files.filter(file => file.startsWith('client/commands/')).sort(), [
      'client/commands/commandTable.ts', 'client/commands/connectionUpkeep.ts', 'client/commands/register.ts', 'client/commands/rules/rulesDocuments.ts',
      'client/commands/serverCommands.ts', 'client/commands/shownChanges.ts',
    ]);
    assert.deepEqual(files.filter(file => file.startsWith('client/connect/')), ['client/connect/connectorAt.ts']);
  });

  it('is small', () => {
    const bytes = [...contents.values()].reduce((sum, one) => sum + one, 0);
    assert.ok(bytes > 50_000 && bytes < mostBytes, `${String(bytes)} bytes; the largest files:\n${[...contents].sort((left, right) => right[1] - left[1]).slice(0, 12).map(([file, size]) => `${String(size)} ${file}`).join('\n')}`);
  });

  it('asks for the module of the editor and for the texts once', async () => {
    const texts = [...contents.keys()].filter(file => /^(?:once|shared):/.test(file));
    assert.deepEqual(texts.sort(), ['once:vscode', 'shared:./lib/errors.js', 'shared:./lib/l10n.js']);
  });
});
