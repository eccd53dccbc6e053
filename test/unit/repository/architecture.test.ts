import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { root } from './importGraph.ts';

const pages = ['ARCHITECTURE.md', 'CONTRIBUTING.md'];
const read = (page: string): string => readFileSync(path.join(root, page), 'utf8');

/** Where a path of a page may begin: at the root, or at one of these. */
const starts = ['', 'server', 'client', 'test'];

/** Paths in backticks: with a folder, and with an ending of code or a slash at the end. Patterns and names to be filled in are no paths. */
function pathsIn(page: string): string[] {
  return [...read(page).matchAll(/`([\w.-]+(?:\/[\w.-]+)*\/(?:[\w.-]+\.(?:ts|mjs|md|json))?)`/g)].map(([, found = '']) => found)
    .filter(found => !/NAME|NEW|^(dist|tokens|node_modules)\/|^[\w-]+\/$|screenshots\/$/.test(found));
}

describe('the pages about the code', () => {
  for (const page of pages) {
    it(`${page} names files and folders that exist`, () => {
      const missing = pathsIn(page).filter(found => !starts.some(start => existsSync(path.join(root, start, found))));
      assert.deepEqual([...new Set(missing)], []);
    });
  }

  it('ARCHITECTURE.md has a line for every room', () => {
    const text = read('ARCHITECTURE.md');
    const rooms = readdirSync(path.join(root, 'server'), { withFileTypes: true }).filter(entry => entry.isDirectory()).map(({ name }) => name);
    assert.deepEqual(rooms.filter(room => !text.includes(`\`server/${room}/\``)), []);
    const clientRooms = readdirSync(path.join(root, 'client'), { withFileTypes: true }).filter(entry => entry.isDirectory()).map(({ name }) => name);
    const line = text.split('\n').find(one => one.startsWith('| `client/`')) ?? '';
    assert.deepEqual(clientRooms.filter(room => !new RegExp(`\\b${room}\\b`).test(line)), []);
  });

  it('ARCHITECTURE.md numbers its invariants, and each names its test or says that there is none', () => {
    const lines = read('ARCHITECTURE.md').split('\n').filter(line => /^- [A-Z]\d+\. /.test(line));
    assert.ok(lines.length > 50);
    const known = new Set(globSync('test/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] }).map(file => file.replaceAll(path.sep, '/').slice('test/'.length)));
    for (const line of lines) {
      const tests = [...line.matchAll(/`((?:unit|integration|e2e)\/[\w./-]+\.test\.ts)`/g)].map(([, test = '']) => test);
      assert.ok(tests.length > 0 || line.includes('No test.'), line);
      assert.deepEqual(tests.filter(test => !known.has(test)), [], line);
    }
    const numbers = lines.map(line => /^- ([A-Z]\d+)\./.exec(line)?.[1]);
    assert.equal(new Set(numbers).size, numbers.length);
  });
});
