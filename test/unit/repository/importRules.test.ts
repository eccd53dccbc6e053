import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = path.join(import.meta.dirname, '..', '..', '..');
const untyped = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked, { languageOptions: { parserOptions: { projectService: false } } }] });
const typed = new ESLint({ cwd: root });

/** Rules that a text would break if it stood in this file. */
async function brokenRules(file: string, text: string, linter = untyped): Promise<string[]> {
  const [result] = await linter.lintText(text, { filePath: path.join(root, file) });
  return [...new Set((result?.messages ?? []).map((message) => message.ruleId ?? message.message))];
}

const zone = 'import-x/no-restricted-paths';
const sameFloor = '@typescript-eslint/no-restricted-imports';

describe('the import rules', () => {
  const cases: [sentence: string, file: string, text: string, rule: string | undefined][] = [
    ['a room imports from a floor below', 'server/health/new.ts', "import { isObject } from '../base/json.ts';\nisObject(1);\n", undefined],
    ['a room may not import from a floor above', 'server/base/new.ts', "import type { Config } from '../config/config.ts';\nexport type A = Config;\n", zone],
    ['protocols may not import from health, not even types', 'server/protocols/new.ts', "import type { Board } from '../health/healthReader.ts';\nexport type A = Board;\n", zone],
    ['a dynamic import is an import', 'server/base/new.ts', "export const later = (): Promise<unknown> => import('../config/config.ts');\n", zone],
    ['rooms of one floor share types', 'server/limits/new.ts', "import type { Plan } from '../routing/plan.ts';\nexport type A = Plan;\n", undefined],
    ['rooms of one floor share nothing but types', 'server/routing/new.ts', "import { keyPool } from '../keys/keyPool.ts';\nkeyPool();\n", sameFloor],
    ['that holds deeper in a room as well', 'server/protocols/deep/new.ts', "import { providers } from '../../catalog/providers.ts';\nproviders;\n", sameFloor],
    ['no room uses the sandbox', 'server/inbound/new.ts', "import { countTokens } from '../sandbox/tokens.ts';\ncountTokens('');\n", zone],
    ['the sandbox uses no room above the ground floor', 'server/sandbox/new.ts', "import { emptyConfig } from '../config/config.ts';\nemptyConfig;\n", zone],
    ['main uses the sandbox', 'server/main.ts', "import { countTokens } from './sandbox/tokens.ts';\ncountTokens('');\n", undefined],
    ['the client uses the contract', 'client/new.ts', "import { chatRequest } from '../server/api/messages.ts';\nchatRequest;\n", undefined],
    ['the client uses no other part of the server', 'client/deep/new.ts', "import { isObject } from '../../server/base/json.ts';\nisObject(1);\n", zone],
    ['a room of the client imports from a floor below', 'client/status/new.ts', "import { count } from '../base/format.ts';\ncount(1, 'a');\n", undefined],
    ['a room of the client may not import from a floor above', 'client/base/new.ts', "import type { Tone } from '../views/shared/refreshThrottle.ts';\nexport type A = Tone;\n", zone],
    ['rooms of one floor of the client share nothing but types', 'client/keys/new.ts', "import { connection } from '../server/connection.ts';\nconnection();\n", sameFloor],
    ['the server does not import vscode', 'server/upstream/new.ts', "import * as vscode from 'vscode';\nvscode.window;\n", sameFloor],
    ['the server does not import the types of vscode either', 'server/main.ts', "import type * as vscode from 'vscode';\nexport type A = vscode.Uri;\n", sameFloor],
    ['the server does not import the client', 'server/inbound/new.ts', "import type { ServerState } from '../../client/server/waybillServer.ts';\nexport type A = ServerState;\n", zone],
    ['a webview does not import vscode', 'client/views/spend/page/new.ts', "import type * as vscode from 'vscode';\nexport type A = vscode.Uri;\n", sameFloor],
    ['proposed typings are refused', 'client/new.ts', "import type { A } from 'vscode-dts/vscode.proposed.chat';\nexport type B = A;\n", sameFloor],
    ['the composition root opens the ledger in SQLite', 'server/app/new.ts', "import { openLedger } from '../ledger/sqlite/sqliteLedger.ts';\nopenLedger;\n", undefined],
    ['no other room imports it, not even types', 'server/router/new.ts', "import type { LedgerOptions } from '../ledger/sqlite/sqliteLedger.ts';\nexport type A = LedgerOptions;\n", zone],
    ['the ports of the ledger do not know what is behind them', 'server/ledger/new.ts', "import type { LedgerOptions } from './sqlite/sqliteLedger.ts';\nexport type A = LedgerOptions;\n", zone],
    ['SQLite is used behind the ports', 'server/ledger/sqlite/new.ts', "import { DatabaseSync } from 'node:sqlite';\nDatabaseSync;\n", undefined],
    ['SQLite is used nowhere else in the room of the ledger', 'server/ledger/new.ts', "import { DatabaseSync } from 'node:sqlite';\nDatabaseSync;\n", sameFloor],
    ['SQLite is used in no other room', 'server/app/new.ts', "import type { DatabaseSync } from 'node:sqlite';\nexport type A = DatabaseSync;\n", sameFloor],
    ['nothing is exported as default', 'server/base/new.ts', 'export default 1;\n', 'import-x/no-default-export'],
    ['the server does not use the console', 'server/base/new.ts', "console.log('x');\n", 'no-console'],
    ['the server does not use the global fetch', 'server/upstream/new.ts', "export const get = (): Promise<Response> => fetch('http://x');\n", 'no-restricted-globals'],
    ['nothing is typed any', 'server/base/new.ts', 'export const a = (b: any): unknown => b;\n', '@typescript-eslint/no-explicit-any'],
    ['errors of the type checker are not silenced', 'server/base/new.ts', '// @ts-expect-error it is wrong\nexport const a: number = "";\n', '@typescript-eslint/ban-ts-comment'],
    ['rules are not switched off in the code', 'server/base/new.ts', "// eslint-disable-next-line no-console\nconsole.log('x');\n", 'no-console'],
  ];
  for (const [sentence, file, text, rule] of cases) {
    it(sentence, async () => {
      const broken = (await brokenRules(file, text)).filter((name) => name !== 'null');
      assert.ok(rule === undefined ? !broken.some((name) => [zone, sameFloor].includes(name)) : broken.includes(rule), `broken: ${broken.join(', ')}`);
    });
  }

  it('a promise is not left floating, a switch is not left open, and two modules do not import each other', async () => {
    const text = "export async function work(): Promise<void> {}\nwork();\nexport function name(state: 'open' | 'closed'): number {\n  switch (state) {\n    case 'open': return 1;\n  }\n  return 0;\n}\n";
    const broken = await brokenRules('server/base/clock.ts', text, typed);
    assert.ok(broken.includes('@typescript-eslint/no-floating-promises'));
    assert.ok(broken.includes('@typescript-eslint/switch-exhaustiveness-check'));
    const cyclic = await brokenRules('server/sandbox/tokens.ts', "import { composeRefusal } from './composeAnswer.ts';\ncomposeRefusal();\n");
    assert.ok(cyclic.includes('import-x/no-cycle'));
  });
});
