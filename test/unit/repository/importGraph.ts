import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export const root = path.join(import.meta.dirname, '..', '..', '..');

/** One import: paths from the root of the project with forward slashes; the bare name for a package or a module of Node. */
export interface Import { from: string; to: string; typeOnly: boolean }

/** Every import of the TypeScript files of client and server, type imports and dynamic ones included. */
export function sourceImports(): Import[] {
  return sourceFiles().flatMap(importsOf);
}

/** TypeScript files of client and server, from the root. */
export function sourceFiles(): string[] {
  return globSync(['client/**/*.ts', 'server/**/*.ts'], { cwd: root }).map(file => file.replaceAll(path.sep, '/')).filter(file => !file.endsWith('.d.ts')).sort();
}

function importsOf(from: string): Import[] {
  const source = ts.createSourceFile(from, readFileSync(path.join(root, from), 'utf8'), ts.ScriptTarget.Latest, false);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push({ from, to: resolved(from, specifier.text), typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function resolved(from: string, specifier: string): string {
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(from), specifier) : specifier;
}

/** The circles of a graph: groups of files that reach each other (Tarjan's strongly connected components of two or more). */
export function circles(imports: readonly Import[]): string[][] {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) {
    const list = edges.get(from);
    if (list === undefined) edges.set(from, [to]);
    else list.push(to);
  }
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: string[][] = [];
  const visit = (file: string): number => {
    const mine = order.size;
    order.set(file, mine);
    let lowest = mine;
    open.push(file);
    isOpen.add(file);
    for (const next of edges.get(file) ?? []) {
      if (!order.has(next)) lowest = Math.min(lowest, visit(next));
      else if (isOpen.has(next)) lowest = Math.min(lowest, order.get(next) ?? lowest);
    }
    low.set(file, lowest);
    if (lowest === mine) {
      const group = open.splice(open.indexOf(file));
      for (const one of group) isOpen.delete(one);
      if (group.length > 1) found.push(group.sort());
    }
    return lowest;
  };
  for (const file of edges.keys()) if (!order.has(file)) visit(file);
  return found;
}
