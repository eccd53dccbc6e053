import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { isObject, parseJson } from '../../../server/base/json.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const largestTextBytes = 2 * 1024 * 1024;

/** Files git knows, and new ones it does not ignore; the folder's own files where there is no git (a packed source). */
function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  return listed.split('\0').filter((file) => file !== '' && existsSync(path.join(root, file)));
}

function textFiles(): { file: string; text: string }[] {
  return projectFiles()
    .filter((file) => !/\.(png|jpg|gif|ico|woff2?|vsix)$/.test(file) && statSync(path.join(root, file)).size < largestTextBytes)
    .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
}

describe('the lock files', () => {
  for (const file of ['package-lock.json', 'test/e2e/package-lock.json']) {
    it(`${file} names no registry, so that every machine asks its own`, () => {
      const text = readFileSync(path.join(root, file), 'utf8');
      const lock = parseJson(text);
      assert.ok(isObject(lock) && isObject(lock['packages']));
      const resolved = Object.entries(lock['packages']).filter(([, entry]) => isObject(entry) && entry['resolved'] !== undefined);
      assert.deepEqual(resolved, []);
      assert.ok(!/"https?:\/\/[^"]*\.tgz"/.test(text));
    });
  }
});

describe('the files of the project', () => {
  it('name no path of the machine they were written on', () => {
    // Short names, such as "/" or "/root", are words of other things too: only a path below them gives a machine away.
    const places = [root, homedir()].filter((place) => place.length > 1).map((place) => `${place}${path.sep}`);
    const found = textFiles().filter(({ text }) => places.some((place) => text.includes(place))).map(({ file }) => file);
    assert.deepEqual(found, []);
  });

  it('do not name the machine', () => {
    const name = hostname();
    if (name.length < 6 || name.startsWith('localhost')) return;
    assert.deepEqual(textFiles().filter(({ text }) => text.includes(name)).map(({ file }) => file), []);
  });

  it('hold no proposed typings and ask for no proposed API', () => {
    assert.deepEqual(projectFiles().filter((file) => /vscode\.proposed.*\.d\.ts$/.test(file)), []);
    const manifest = parseJson(readFileSync(path.join(root, 'package.json'), 'utf8'));
    assert.ok(isObject(manifest) && manifest['enabledApiProposals'] === undefined);
  });

  it('hold nothing that looks like a real credential', () => {
    // Shapes of live keys: long random tails. The short invented keys of tests do not match.
    const shapes = [/sk-ant-api\d\d-[\w-]{80,}/, /sk-proj-[\w-]{60,}/, /AIza[\w-]{35}\b/, /ghp_\w{36}/, /-----BEGIN (RSA |EC )?PRIVATE KEY-----\n[\w+/=\n]{200,}/];
    assert.deepEqual(textFiles().filter(({ text }) => shapes.some((shape) => shape.test(text))).map(({ file }) => file), []);
  });
});
