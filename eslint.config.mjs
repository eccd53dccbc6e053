import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * The floors of the server, from the ground up. A room imports only from floors below its own; rooms of its own floor
 * only with `import type`. `sandbox` stands beside the rooms: it builds on the ground floor alone, so that it is a second
 * opinion on the wire formats and not the first one again. Only `app` loads it, for "Try It Without Keys".
 */
export const floors = [
  ['api'],
  ['base'],
  ['protocols', 'catalog'],
  ['config', 'pricing'],
  ['models', 'health', 'ledger', 'state'],
  ['limits', 'timeouts', 'keys', 'canary', 'shadow', 'routing'],
  ['upstream'],
  ['exchange'],
  ['router'],
  ['inbound'],
  ['app'],
];
const rooms = floors.flat();

/** The floors of the client, likewise. `extension.ts` and `commandHandlers.ts` stand above them all. */
export const clientFloors = [
  ['base'],
  ['server', 'keys', 'connect'],
  ['settings'],
  ['chat'],
  ['status'],
  ['views'],
  ['commands'],
  ['notices'],
];
const clientRooms = clientFloors.flat();

const proposedTypings = { regex: '(vscode-dts|vscode\\.proposed)', message: 'Proposed API fails on a user\'s desktop; use what @types/vscode has.' };
const noSqlite = { name: 'node:sqlite', message: 'Only server/ledger/sqlite knows SQLite; others use the ports of server/ledger.' };
const noVscode = { name: 'vscode', message: 'The server runs outside VS Code too; only client/ imports vscode.' };

/** What a room of the server may not import at all: rooms of higher floors, and whatever is not a room. */
function zonesOf(room) {
  const floor = floors.findIndex((names) => names.includes(room));
  const above = [...floors.slice(floor + 1).flat(), ...(room === 'app' ? [] : ['sandbox']), 'main.ts'].map((name) => `./server/${name}`);
  return [{ target: `./server/${room}`, from: [...above, './client', './test', './scripts'], message: `server/${room} is on floor ${floor}; it imports only from floors below.` }];
}

function clientZonesOf(room) {
  const floor = clientFloors.findIndex((names) => names.includes(room));
  const above = [...clientFloors.slice(floor + 1).flat(), 'extension.ts', 'commandHandlers.ts'].map((name) => `./client/${name}`);
  return { target: `./client/${room}`, from: above, message: `client/${room} is on floor ${floor}; it imports only from floors below.` };
}

/** The one room behind the ports of the ledger, which only the composition root opens. */
const sqliteZones = ['./server/main.ts', './server/ledger/*.ts', ...rooms.filter((room) => room !== 'ledger' && room !== 'app').map((room) => `./server/${room}`)].map((target) => ({
  target, from: './server/ledger/sqlite', message: 'Use the ports of server/ledger; only server/app opens the ledger in SQLite.',
}));

const zones = [
  ...rooms.flatMap(zonesOf),
  ...clientRooms.map(clientZonesOf),
  { target: './server/sandbox', from: [...rooms.filter((room) => room !== 'base' && room !== 'api').map((room) => `./server/${room}`), './server/main.ts', './client', './test'], message: 'The sandbox builds on server/base and server/api alone.' },
  ...sqliteZones,
  { target: './server/main.ts', from: ['./client', './test'], message: 'The server does not import the client.' },
  { target: './client', from: './server', except: ['./api'], message: 'The client imports only server/api of the server.' },
  { target: './client', from: './test', message: 'The client does not import tests.' },
];

/** Rooms of the same floor share types, never code. */
function sameFloorRules(side, sideFloors, room) {
  const neighbours = sideFloors.find((names) => names.includes(room)).filter((name) => name !== room);
  const patterns = neighbours.length === 0 ? [] : [{
    regex: `^(\\.\\./)+(${neighbours.join('|')})/(?!api/)`, allowTypeImports: true, message: 'Rooms of the same floor share types only (import type).',
  }];
  return {
    files: [`${side}/${room}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: side === 'server' ? [noVscode, noSqlite] : [], patterns: [proposedTypings, ...patterns] }] },
  };
}

/** The rules of the ledger's room for the part of it that may use SQLite. */
function sqliteRules({ rules }) {
  const [severity, { paths, patterns }] = rules['@typescript-eslint/no-restricted-imports'];
  return {
    files: ['server/ledger/sqlite/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': [severity, { paths: paths.filter((path) => path !== noSqlite), patterns }] },
  };
}

const sourceFiles = ['client/**/*.ts', 'server/**/*.ts', 'test/**/*.ts'];

export default tseslint.config(
  { ignores: ['dist/', '**/node_modules/', 'test/e2e/.cache/', 'test/e2e/screenshots/', 'test/bench/results/', 'coverage/'] },
  // Rules are not switched off in the code; one that is wrong is changed here.
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' } },
  {
    files: sourceFiles,
    extends: [tseslint.configs.base],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js', '.json'] })],
      'import-x/core-modules': ['vscode'],
    },
    rules: {
      'eqeqeq': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } }],
      'import-x/no-default-export': 'error',
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-self-import': 'error',
      'import-x/no-mutable-exports': 'error',
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [proposedTypings] }],
      '@typescript-eslint/triple-slash-reference': ['error', { lib: 'never', path: 'never', types: 'never' }],
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': true, 'ts-ignore': true, 'ts-nocheck': true, 'ts-check': true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'] }] }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false }],
    },
  },
  {
    files: ['server/**/*.ts'],
    rules: {
      // stdout is a protocol channel (LSP, --json) and logs are redacted: both go through their own doors.
      'no-console': 'error',
      'no-restricted-globals': ['error',
        { name: 'fetch', message: 'The global fetch costs half of a request\'s time; use server/upstream.' },
        { name: 'WebSocket', message: 'Use server/upstream.' },
        { name: 'EventSource', message: 'Use server/upstream.' }],
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [noVscode, noSqlite], patterns: [proposedTypings] }],
    },
  },
  ...rooms.map((room) => sameFloorRules('server', floors, room)),
  sqliteRules(sameFloorRules('server', floors, 'ledger')),
  ...clientRooms.map((room) => sameFloorRules('client', clientFloors, room)),
  {
    files: ['client/views/**/page/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ regex: '^(vscode|node:.*)$', message: 'A webview runs in a browser.' }] }] },
  },
  {
    // Descriptions of modules written by others export what those export.
    files: ['**/*.d.ts'],
    rules: { 'import-x/no-default-export': 'off', 'no-restricted-exports': 'off' },
  },
  {
    files: ['scripts/**/*.mjs', 'test/**/*.mjs', '*.mjs'],
    rules: { 'no-unused-vars': 'error', 'no-undef': 'off', 'prefer-const': 'error', 'no-var': 'error', 'eqeqeq': 'error' },
  },
);
