/** Finds texts for people that do not go through `t`, as far as the syntax tells. */
import ts from 'typescript';

/** Properties and attributes that the editor or a page shows. */
const shownNames = /^(title|placeHolder|placeholder|prompt|label|description|tooltip|ariaLabel|aria-label|detail|alt|name|subtitle|heading|note|text|caption)$/;
const shownCalls = /^(show(Information|Warning|Error)Message|setStatusBarMessage|createWebviewPanel|button)$/;
const onceWord = /[A-Za-z]{2,}/;
/** Two words with a blank between them: a sentence, or a part of one. */
const words = /[\p{L}\p{N}’']{2,}[.,:;!?]? [\p{L}’'(]{2,}/u;

/**
 * @param {ReadonlySet<string>} allowed literals that are no words for people
 * @returns {string[]} each literal with its place
 */
export function untranslated(file, text, allowed = new Set()) {
  const found = [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    const literal = literalText(node);
    if (literal !== undefined && !allowed.has(literal) && (words.test(literal) || (onceWord.test(literal) && isShown(node))) && !isExempt(node)) {
      found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: "${literal}"`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The text of a literal, with `…` for what a template puts in. */
function literalText(node) {
  if (ts.isStringLiteralLike(node)) return withoutIcons(node.text);
  if (ts.isTemplateExpression(node)) return withoutIcons([node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…'));
  return undefined;
}

/** `$(key)` is an icon. */
function withoutIcons(text) {
  return text.replace(/\$\([a-z~-]+\)/g, '');
}

function isShown(node) {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) && parent.initializer === node) return shownNames.test(parent.name.getText().replace(/^'|'$/g, ''));
  if (ts.isConditionalExpression(parent) && parent.condition !== node) return isShown(parent);
  if (!ts.isCallExpression(parent)) return false;
  const called = calledName(parent);
  if (called === 'button') return parent.arguments[0] === node;
  // element('p', { class: 'x' }, 'Text')
  if (called === 'element') return parent.arguments.indexOf(node) >= 2;
  return shownCalls.test(called) && parent.arguments.includes(node);
}

function calledName({ expression }) {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
}

/** Texts of `t` itself, of the log, of programmers' errors, types, imports, keys and comparisons. */
function isExempt(node) {
  for (let inner = node, outer = node.parent; outer !== undefined; inner = outer, outer = outer.parent) {
    if (ts.isTypeNode(outer) || ts.isImportDeclaration(outer) || ts.isExportDeclaration(outer)) return true;
    if (ts.isCallExpression(outer) && outer.arguments.includes(inner)) {
      const called = outer.expression.getText();
      if ((called === 't' || called === 'said') && inner === outer.arguments[0]) return true;
      if (/(^|\.)#?(log|logger)\??\.(trace|debug|info|warn|error)$/.test(called) || /\.(querySelector|querySelectorAll|startsWith|endsWith|includes|registerCommand|executeCommand)$/.test(called)) return true;
    }
    if (ts.isNewExpression(outer) && outer.expression.getText() === 'RegExp') return true;
    if (ts.isPropertyAssignment(outer) && (outer.name === inner || /^(class|id|role|type|when|command|message|comment)$/.test(outer.name.getText()) && isInsideT(outer))) return true;
    if (ts.isPropertyAssignment(outer) && /^(class|d|viewBox|points|transform|style|src|href)$/.test(outer.name.getText())) return true;
    if (ts.isBinaryExpression(outer) && /^[=!]==?$/.test(outer.operatorToken.getText())) return true;
    if (ts.isCaseClause(outer) && outer.expression === inner) return true;
    if (ts.isStatement(outer)) return false;
  }
  return false;
}

/** In `t({ message: '…', comment: '…' })`. */
function isInsideT(property) {
  const call = property.parent.parent;
  return ts.isCallExpression(call) && call.expression.getText() === 't';
}
