import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';

const server = path.join(import.meta.dirname, '..', '..', '..', 'server');

/** A thing that is made somewhere: what it is called, and the file that defines it. */
interface Made { readonly name: string; readonly from: string }

/** The names that a text imports as values from files of the server, with where they come from. */
function valueImports(source: ts.SourceFile, file: string): Map<string, Made> {
  const imports = new Map<string, Made>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier) || statement.importClause?.isTypeOnly === true) continue;
    const specifier = statement.moduleSpecifier.text;
    const bindings = statement.importClause?.namedBindings;
    if (!specifier.startsWith('.') || bindings === undefined || !ts.isNamedImports(bindings)) continue;
    const from = path.posix.join(path.posix.dirname(file), specifier);
    for (const element of bindings.elements) {
      if (!element.isTypeOnly) imports.set(element.name.text, { name: (element.propertyName ?? element.name).text, from });
    }
  }
  return imports;
}

/** What a text makes: `new Part(…)`, `createPart(…)` or `openPart(…)` of something it imports. */
function madeIn(text: string, file: string): Made[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const imports = valueImports(source, file);
  const made: Made[] = [];
  const visit = (node: ts.Node): void => {
    const callee = ts.isNewExpression(node) || ts.isCallExpression(node) ? node.expression : undefined;
    if (callee !== undefined && ts.isIdentifier(callee) && (ts.isNewExpression(node) || /^(?:create|open)[A-Z]/.test(callee.text))) {
      const part = imports.get(callee.text);
      if (part !== undefined) made.push(part);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return made;
}

const roomOf = (file: string): string => file.split('/')[0] ?? '';
const files = globSync('**/*.ts', { cwd: server }).map(file => file.replaceAll(path.sep, '/'));
const read = (file: string): string => readFileSync(path.join(server, file), 'utf8');

/** The parts of a server: whatever the composition root makes of another room. The ground floor has tools, which every room may make. */
const parts = new Set(files.filter(file => roomOf(file) === 'app').flatMap(file => madeIn(read(file), file))
  .filter(({ from }) => roomOf(from) !== 'app' && roomOf(from) !== 'base').map(({ name, from }) => `${from} ${name}`));

/** The parts of other rooms that a text makes. */
function foreignParts(text: string, file: string): string[] {
  return madeIn(text, file).filter(({ name, from }) => roomOf(from) !== roomOf(file) && parts.has(`${from} ${name}`)).map(({ name }) => name);
}

describe('the composition root', () => {
  it('makes the parts of a server', () => {
    for (const part of [
      'health/registry.ts createHealthRegistry', 'keys/keyPool.ts KeyPool', 'limits/rateLimiter.ts createRateLimiter', 'timeouts/adaptiveTimeouts.ts createAdaptiveTimeouts',
      'upstream/transport.ts Transport', 'models/modelDirectory.ts ModelDirectory', 'exchange/publisher.ts ExchangePublisher', 'router/router.ts Router', 'router/spend/costRecorder.ts CostRecorder',
      'ledger/sqlite/sqliteLedger.ts openLedger', 'pricing/pricing.ts createPricer', 'inbound/http/httpServer.ts HttpServer', 'inbound/lsp/lspServer.ts LspServer',
    ]) assert.ok(parts.has(part), `${part} is not made in server/app`);
  });

  it('is the only place that makes a part of another room', () => {
    const found = files.filter(file => roomOf(file) !== 'app').flatMap(file => foreignParts(read(file), file).map(name => `${file}: ${name}`));
    assert.deepEqual(found, []);
  });

  it('notices a part that is made elsewhere', () => {
    assert.deepEqual(foreignParts("import { KeyPool } from '../keys/keyPool.ts';\nexport const keys = new KeyPool();\n", 'router/new.ts'), ['KeyPool']);
    assert.deepEqual(foreignParts("import { createHealthRegistry as make, createHealthRegistry } from '../health/registry.ts';\ncreateHealthRegistry({ random: () => 0, startedAt: 0 });\n", 'exchange/new.ts'), ['createHealthRegistry']);
    assert.deepEqual(foreignParts("import type { KeyPool } from '../keys/keyPool.ts';\nexport type Keys = KeyPool;\n", 'router/new.ts'), []);
    assert.deepEqual(foreignParts("import { KeyPool } from './keyPool.ts';\nexport const keys = new KeyPool();\n", 'keys/new.ts'), []);
  });
});
