import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigTextError } from '../../../../client/connect/configFormat.ts';
import type { ConfigPath, ConfigValue } from '../../../../client/connect/configFormat.ts';
import { formats } from '../../../../client/connect/formats.ts';
import type { FormatName } from '../../../../client/connect/formats.ts';

interface Edit { says: string; format: FormatName; before: string; path: ConfigPath; value: ConfigValue; after: string; /** When taking the value out again leaves something else. */ back?: string }

const table = { name: 'S', base_url: 'http://x/v1' };
const item = { name: 'S', model: 'm', roles: ['chat', 'edit'] };
const listed: ConfigPath = ['models', { field: 'name', is: 'S' }];

const edits: Edit[] = [
  { says: 'JSON keeps comments, order and a trailing comma', format: 'json', path: ['env', 'B'], value: 'x', before: '{\n  // mine\n  "z": 1,\n  "env": {\n    "A": "1", // one\n  },\n}\n', after: '{\n  // mine\n  "z": 1,\n  "env": {\n    "A": "1", // one\n    "B": "x",\n  },\n}\n' },
  { says: 'JSON keeps a comment at the end of the last line', format: 'json', path: ['b'], value: 2, before: '{\n    "a": [1,2] // pair\n    // the end\n}', after: '{\n    "a": [1,2], // pair\n    "b": 2\n    // the end\n}' },
  { says: 'JSON on one line stays on one line', format: 'json', path: ['b'], value: 2, before: '{"a":1}', after: '{"a":1, "b": 2}' },
  { says: 'JSON makes what is missing on the way', format: 'json', path: ['a', 'b', 'c'], value: 'x', before: '{\n  "z": {}\n}\n', after: '{\n  "z": {},\n  "a": {\n    "b": {\n      "c": "x"\n    }\n  }\n}\n', back: '{\n  "z": {},\n  "a": {\n    "b": {}\n  }\n}\n' },
  { says: 'JSON that is empty is begun', format: 'json', path: ['a'], value: 1, before: '', after: '{\n  "a": 1\n}\n', back: '{}\n' },
  { says: 'JSON keeps tabs and Windows line ends', format: 'json', path: ['b', 'c'], value: true, before: '{\r\n\t"a": {\r\n\t\t"x": 1\r\n\t}\r\n}\r\n', after: '{\r\n\t"a": {\r\n\t\t"x": 1\r\n\t},\r\n\t"b": {\r\n\t\t"c": true\r\n\t}\r\n}\r\n', back: '{\r\n\t"a": {\r\n\t\t"x": 1\r\n\t},\r\n\t"b": {}\r\n}\r\n' },
  { says: 'JSON keeps a byte order mark', format: 'json', path: ['a'], value: 1, before: '\uFEFF{}\n', after: '\uFEFF{\n  "a": 1\n}\n' },
  { says: 'JSON adds to a list', format: 'json', path: ['models', { field: 'title', is: 'S' }], value: { title: 'S' }, before: '{\n  "models": [\n    { "title": "mine" }\n  ]\n}\n', after: '{\n  "models": [\n    { "title": "mine" },\n    {\n      "title": "S"\n    }\n  ]\n}\n' },
  { says: 'TOML keeps comments, and puts a root key after the root keys', format: 'toml', path: ['model_provider'], value: 's', before: '# mine\nmodel = "a" # best\n\n[tui] # t\nx = [\n  1, # one\n]\n', after: '# mine\nmodel = "a" # best\nmodel_provider = "s"\n\n[tui] # t\nx = [\n  1, # one\n]\n' },
  { says: 'TOML puts a root key before the first table', format: 'toml', path: ['model'], value: 'a"b\\', before: '[tui]\r\nx = 1\r\n', after: 'model = "a\\"b\\\\"\r\n\r\n[tui]\r\nx = 1\r\n' },
  { says: 'TOML appends a table', format: 'toml', path: ['p', 's'], value: table, before: 'a = 1\n\n[p.other]\nname = "o"\n# last words\n', after: 'a = 1\n\n[p.other]\nname = "o"\n# last words\n\n[p.s]\nname = "S"\nbase_url = "http://x/v1"\n' },
  { says: 'TOML sees no table inside a string', format: 'toml', path: ['model'], value: 'm', before: 'x = """\n[not]\nmodel = "no" """\ny = \'\'\'\n[nor this]\'\'\'\n[t]\na = { b = [ "]" ] }\n', after: 'x = """\n[not]\nmodel = "no" """\ny = \'\'\'\n[nor this]\'\'\'\nmodel = "m"\n[t]\na = { b = [ "]" ] }\n' },
  { says: 'an environment file keeps what is around', format: 'env', path: ['KEY'], value: 'v-1', before: '# mine\nexport A="x\ny" # two lines\nB=1', after: '# mine\nexport A="x\ny" # two lines\nB=1\nKEY=v-1\n', back: '# mine\nexport A="x\ny" # two lines\nB=1\n' },
  { says: 'an environment file quotes what needs it', format: 'env', path: ['M'], value: 'a b # c', before: '', after: "M='a b # c'\n" },
  { says: 'YAML appends a value, whatever the indents and quotes before it', format: 'yaml', path: ['model'], value: 'openai/best', before: '# mine\nread:   [ a.md,b.md ]\n"dark-mode":  yes # nice\n', after: '# mine\nread:   [ a.md,b.md ]\n"dark-mode":  yes # nice\nmodel: openai/best\n' },
  { says: 'YAML adds to a list with its own indent', format: 'yaml', path: listed, value: item, before: 'models:\n- name: mine # m\n  model: a\nrules:\n    - "b"\n', after: 'models:\n- name: mine # m\n  model: a\n- name: S\n  model: m\n  roles:\n    - chat\n    - edit\nrules:\n    - "b"\n' },
  { says: 'YAML makes a list that is not there', format: 'yaml', path: listed, value: item, before: 'name: x\n', after: 'name: x\nmodels:\n  - name: S\n    model: m\n    roles:\n      - chat\n      - edit\n', back: 'name: x\nmodels: []\n' },
  { says: 'YAML keeps Windows line ends', format: 'yaml', path: ['a'], value: 1, before: 'b: 2\r\n', after: 'b: 2\r\na: 1\r\n' },
];

for (const { says, format, before, path, value, after, back } of edits) {
  it(`${says}, and back`, () => {
    const set = formats[format].set(before, path, value);
    assert.equal(set, after);
    assert.equal(formats[format].set(set, path, value), set, 'setting it again changes nothing');
    assert.equal(formats[format].remove(set, path), back ?? before);
  });
}

const replacements: Omit<Edit, 'back'>[] = [
  { says: 'JSON', format: 'json', path: ['a'], value: 'n', before: '{"a" : "o" /* why */ , "b":2}', after: '{"a" : "n" /* why */ , "b":2}' },
  { says: 'TOML', format: 'toml', path: ['a'], value: 'n', before: "a   = 'o' # why\r\nb = 2\r\n", after: 'a   = "n" # why\r\nb = 2\r\n' },
  { says: 'a TOML table', format: 'toml', path: ['p', 's'], value: { x: 1 }, before: 'a = 1\n\n[p.s]\nold = 1\n[p.s.deep]\ny = 2\n\n[q]\nz = 3\n', after: 'a = 1\n\n[q]\nz = 3\n\n[p.s]\nx = 1\n' },
  { says: 'an environment file', format: 'env', path: ['A'], value: 'n', before: 'A=first\nexport A = "o" # why\nB=2\n', after: 'A=first\nexport A = n # why\nB=2\n' },
  { says: 'YAML', format: 'yaml', path: ['a'], value: 'n', before: 'b: [1,  2]\na:   "o"   # why\nc: 3\n', after: 'b: [1,  2]\na:   n   # why\nc: 3\n' },
  { says: 'YAML in braces', format: 'yaml', path: ['a'], value: 'n', before: '# mine\n{ a: o, b: 2 }\n', after: '# mine\n{ a: n, b: 2 }\n' },
];

describe('a value that is there already is replaced where it stands', () => {
  for (const { says, format, before, path, value, after } of replacements) {
    it(`in ${says}`, () => { assert.equal(formats[format].set(before, path, value), after); });
  }
});

const refusals: { says: string; format: FormatName; text: string; path: ConfigPath; value: ConfigValue; message: RegExp }[] = [
  { says: 'broken JSON', format: 'json', text: '{\n  "a": ,\n}', path: ['b'], value: 1, message: /is not valid JSON \(line 2/ },
  { says: 'JSON that is a list', format: 'json', text: '[]', path: ['b'], value: 1, message: /does not hold settings by name/ },
  { says: 'JSON with a text where a table belongs', format: 'json', text: '{"env":"x"}', path: ['env', 'A'], value: 'x', message: /holds something else where "A" belongs/ },
  { says: 'broken TOML', format: 'toml', text: 'a = 1\nb = = 2\n', path: ['c'], value: 1, message: /is not valid TOML \(line 2\)/ },
  { says: 'TOML whose table is written in one line', format: 'toml', text: 'p = { other = { a = 1 } }\n', path: ['p', 's'], value: { a: 1 }, message: /cannot be changed without touching the rest/ },
  { says: 'broken YAML', format: 'yaml', text: 'a: [1\nb: 2\n', path: ['c'], value: 1, message: /is not valid YAML \(line \d\)/ },
  { says: 'several YAML documents', format: 'yaml', text: 'a: 1\n---\nb: 2\n', path: ['c'], value: 1, message: /several YAML documents/ },
  { says: 'YAML with a text where a list belongs', format: 'yaml', text: 'models: none\n', path: listed, value: item, message: /holds something else where "S" belongs/ },
];

describe('what cannot be changed safely is refused in one sentence', () => {
  for (const { says, format, text, path, value, message } of refusals) {
    it(says, () => { assert.throws(() => formats[format].set(text, path, value), error => error instanceof ConfigTextError && message.test(error.message)); });
  }
});
