import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

interface Proof { file: string; titles: string[] }

/** The numbered facts of a page, each with the tests that it names: a path in backticks, and parts of titles in quotation marks behind it. */
function invariantsOf(page: string): { number: string; text: string; proofs: Proof[] }[] {
  return [...page.matchAll(/^- ([A-Z]\d+)\. (.+(?:\n {2}.+)*)/gm)].map(([, number = '', text = '']) => ({
    number, text,
    proofs: [...text.matchAll(/`((?:unit|integration|e2e)\/[\w./-]+\.ts)`((?:,? "[^"]+")*)/g)].map(([, file = '', titles = '']) => ({
      file, titles: [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
    })),
  }));
}

/** Lines of a test file on which a test, a group, or a row of a table of cases begins, with its title. */
function titlesIn(source: string): string[] {
  return source.split('\n').filter(line => /^\s*(?:(?:describe|it|test|\w+Contract)\(|\[['"`])/.test(line));
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
    const table = text.split('\n').filter(line => line.startsWith('| `'));
    for (const side of ['server', 'client']) {
      const rooms = readdirSync(path.join(root, side), { withFileTypes: true }).filter(entry => entry.isDirectory()).map(({ name }) => `\`${side}/${name}/\``);
      assert.deepEqual(rooms.filter(room => !table.some(line => line.includes(room))), []);
    }
  });

  it('ARCHITECTURE.md numbers its invariants, and each names a test and its title, or says that there is none', () => {
    const invariants = invariantsOf(read('ARCHITECTURE.md'));
    assert.ok(invariants.length > 60);
    assert.equal(new Set(invariants.map(({ number }) => number)).size, invariants.length);
    for (const { number, text, proofs } of invariants) {
      assert.equal(proofs.length === 0, text.endsWith(' No test.'), `${number} names tests or says that there is none`);
      for (const { file, titles } of proofs) {
        assert.ok(titles.length > 0, `${number} names no title in ${file}`);
        assert.ok(existsSync(path.join(root, 'test', file)), `${number} names ${file}, which is not there`);
        const known = titlesIn(readFileSync(path.join(root, 'test', file), 'utf8'));
        assert.deepEqual(titles.filter(title => !known.some(line => line.includes(title))), [], `${number}, ${file}`);
      }
    }
  });

  it('the check of the invariants sees a title that is gone, and a test without a title', () => {
    const [one] = invariantsOf('- X1. A fact.\n  `unit/a.test.ts` "the title", "another"; `unit/b.test.ts`\n- X2. A fact. No test.\n');
    assert.deepEqual(one?.proofs, [{ file: 'unit/a.test.ts', titles: ['the title', 'another'] }, { file: 'unit/b.test.ts', titles: [] }]);
    assert.deepEqual(titlesIn("describe('a group', () => {\n  it(`the ${name}`, () => {\n    const text = 'no title';\n    ['a row', 1],\n"), ["describe('a group', () => {", '  it(`the ${name}`, () => {', "    ['a row', 1],"]);
  });
});
