import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rulesIn, withRules } from '../../../../server/config/language/sections.ts';
import { withRulesFile } from '../../../../server/config/language/rulesFile.ts';

const file = `# ours
endpoints:
  a:
    provider: openai
    keys: ["sk-secret"]
    headers: { x-team: hush }

routes: # all of them
  main: { targets: [a/x] } # first
aliases:
  fast: x
network: {}
`;

describe('the rules in a file', () => {
  test('hold caps and equivalents, beside those of the settings', () => {
    assert.equal(rulesIn('endpoints: {}\nequivalents:\n  x: [y]\ncaps: { turnUsd: 1 }\n'), 'equivalents:\n  x: [y]\ncaps: { turnUsd: 1 }\n');
    const merged = withRulesFile({ caps: { sessionUsd: 5, turnUsd: 2 } }, 'caps:\n  turnUsd: 1\n', 'r.yaml', {});
    assert.deepEqual(merged.raw.caps, { sessionUsd: 5, turnUsd: 1 });
    assert.deepEqual(merged.problems, [{ message: '"turnUsd" of "caps" is also in the settings; the one of this file holds.', path: 'caps.turnUsd', file: 'r.yaml', line: 2 }]);
    const wrong = withRulesFile({ caps: { turnUsd: 2 } }, 'caps: 5\n', 'r.yaml', {});
    assert.deepEqual(wrong.raw.caps, { turnUsd: 2 });
    assert.match(wrong.problems[0]?.message ?? '', /^The caps of this file must be a mapping .* those of the settings hold\.$/);
  });

  test('are its sections as they are written, without endpoints, keys and headers', () => {
    assert.equal(rulesIn(file), 'routes: # all of them\n  main: { targets: [a/x] } # first\naliases:\n  fast: x\n');
    assert.equal(rulesIn(''), '');
    assert.equal(rulesIn('a: [\n'), undefined);
    assert.equal(rulesIn('{ routes: {} }'), undefined);
  });

  test('come back with everything else of the file as it is', () => {
    const old = rulesIn(file) ?? '';
    const changed = file.replace('[a/x]', '[b/y]').replace('provider: openai', 'provider: ollama').replace('  fast: x\n', '  fast: y\n  slow: z\n');
    assert.equal(withRules(changed, old), file.replace('provider: openai', 'provider: ollama'));
    assert.equal(withRules(file, old), file);
  });

  test('come with sections that the file lost, and without those that the version did not have', () => {
    const rules = 'routes:\n  r: { targets: [a/x] }\ntools: {}';
    assert.equal(withRules('endpoints: {}\naliases: { b: c }', rules), 'endpoints: {}\nroutes:\n  r: { targets: [a/x] }\ntools: {}\n');
    assert.equal(withRules('', rules), 'routes:\n  r: { targets: [a/x] }\ntools: {}\n');
  });
});

describe('a file of rules beside the settings', () => {
  const settings = { routes: { main: { targets: ['a/x'] }, own: { targets: ['a/x'] } }, aliases: { fast: 'x' } };

  test('adds its rules, and holds where both have a name, which is said with its line', () => {
    const { raw, problems, locate } = withRulesFile(settings, 'routes:\n  main: { targets: [b/y] }\n  more: { targets: ["${PLACE}/y"] }\n', '/rules.yaml', { PLACE: 'b' });
    assert.deepEqual(raw, { routes: { main: { targets: ['b/y'] }, own: { targets: ['a/x'] }, more: { targets: ['b/y'] } }, aliases: { fast: 'x' }, equivalents: undefined, tools: undefined, caps: undefined });
    assert.deepEqual(problems.map(({ message, line }) => [message, line]), [['"main" of "routes" is also in the settings; the one of this file holds.', 2]]);
    assert.deepEqual([locate(['routes', 'more']), locate(['routes', 'own'])], [{ file: '/rules.yaml', line: 3 }, {}]);
  });

  test('gives no endpoint an address: its endpoints are not used, and that is said', () => {
    const { raw, problems } = withRulesFile(settings, 'endpoints:\n  a: { provider: openai, baseUrl: "https://elsewhere.example" }\n', '/rules.yaml', {});
    assert.ok(!('endpoints' in raw));
    assert.match(problems[0]?.message ?? '', /^Endpoints of this file are not used in the editor/);
  });

  test('that is no valid YAML, or no mapping, leaves the settings as they are', () => {
    for (const text of ['routes: [\n', '- a\n']) {
      const { raw, readable, problems } = withRulesFile(settings, text, '/rules.yaml', {});
      assert.deepEqual([raw, readable, problems.length > 0], [settings, false, true]);
    }
  });
});
