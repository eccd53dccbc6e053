import { readFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** A regular expression as it stands in a source file. */
export interface RegexLiteral { file: string; line: number; source: string; flags: string }

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Every regular expression that stands as a literal in the sources of server and client. */
export function regexLiterals(): RegexLiteral[] {
  return globSync(['server/**/*.ts', 'client/**/*.ts'], { cwd: root }).sort().flatMap(file => literalsIn(file, readFileSync(root + file, 'utf8')));
}

/** The regular expressions of one file, and those made of text in it: `new RegExp('…')`. */
export function literalsIn(file: string, text: string): RegexLiteral[] {
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: RegexLiteral[] = [];
  const add = (node: ts.Node, source: string, flags: string): void => {
    found.push({ file, line: parsed.getLineAndCharacterOfPosition(node.getStart(parsed)).line + 1, source, flags });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      add(node, node.text.slice(1, end), node.text.slice(end + 1));
    }
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && ts.isIdentifier(node.expression) && node.expression.text === 'RegExp') {
      const [pattern, flags] = node.arguments ?? [];
      if (pattern !== undefined && ts.isStringLiteralLike(pattern)) add(node, pattern.text, flags !== undefined && ts.isStringLiteralLike(flags) ? flags.text : '');
      else add(node, '', 'made at run time');
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}
