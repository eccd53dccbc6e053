/** What `npm run l10n` and test/unit/repository/texts.test.ts know of the texts in the code and of their translations. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const library = '@vscode/l10n';

/** The languages beside English. Each has `l10n/bundle.l10n.LANGUAGE.json` and `package.nls.LANGUAGE.json`. */
export const languages = ['vi'];

/** @returns {{ file: string, text: string }[]} the TypeScript files of client and server, by their path from the root */
export function sources() {
  return globSync(['client/**/*.ts', 'server/**/*.ts'], { cwd: root }).map((file) => file.replaceAll(path.sep, '/')).sort()
    .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
}

/**
 * Finds the calls of `t` in a file.
 * @returns {{ keys: string[], faults: string[] }} the texts that are asked for, as keys of a bundle; and the calls that no script can
 * read, that pass other values than their text names, or that run when the file is loaded, where the language may not be known yet
 */
export function textsOf(file, text) {
  const keys = [];
  const faults = [];
  if (!text.includes(library) && !text.includes('said.ts')) return { keys, faults };
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const visit = (node, insideFunction) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && (node.expression.text === 't' || node.expression.text === 'said')) {
      const place = `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
      const read = readCall(node);
      if (read === undefined) faults.push(`${place}: ${node.expression.text}() wants its text as one literal.`);
      else {
        keys.push(read.key);
        if (read.given !== undefined && !sameItems(placeholders(read.key), read.given)) faults.push(`${place}: "${read.key}" names {${placeholders(read.key).join('}, {')}}, and gets ${read.given.length === 0 ? 'no value' : `{${read.given.join('}, {')}}`}.`);
      }
      if (node.expression.text === 't' && !insideFunction && !/^(client|server\/api)\//.test(file)) faults.push(`${place}: t() runs when the file is loaded, before the language is known; call it where the text is shown.`);
    }
    const inside = insideFunction || ts.isFunctionLike(node);
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(source, false);
  return { keys, faults };
}

/** @returns the key and the names of the values that are given; `given` is undefined where they are not written out */
function readCall({ arguments: [first, ...values] }) {
  if (first === undefined) return undefined;
  if (ts.isStringLiteralLike(first)) {
    const [only] = values;
    if (values.length === 1 && ts.isObjectLiteralExpression(only)) return { key: first.text, given: namesOf(only) };
    return { key: first.text, given: values.some((value) => ts.isSpreadElement(value)) ? undefined : values.map((_, index) => String(index)) };
  }
  if (!ts.isObjectLiteralExpression(first)) return undefined;
  const property = (name) => first.properties.find((one) => ts.isPropertyAssignment(one) && one.name.getText() === name)?.initializer;
  const [message, comment, given] = [property('message'), property('comment'), property('args')];
  if (message === undefined || !ts.isStringLiteralLike(message) || comment === undefined || !ts.isStringLiteralLike(comment)) return undefined;
  if (given !== undefined && ts.isArrayLiteralExpression(given)) return { key: `${message.text}/${comment.text}`, given: given.elements.map((_, index) => String(index)) };
  return { key: `${message.text}/${comment.text}`, given: given !== undefined && ts.isObjectLiteralExpression(given) ? namesOf(given) : given === undefined ? [] : undefined };
}

function namesOf({ properties }) {
  return properties.some((one) => ts.isSpreadAssignment(one)) ? undefined : properties.map(({ name }) => name.getText());
}

/** @returns {string[]} the names in braces, each once, sorted */
function placeholders(text) {
  return [...new Set([...text.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name))].sort();
}

function sameItems(one, other) {
  return one.length === other.length && [...one].sort().every((item, index) => item === [...other].sort()[index]);
}

/** The commands and settings that a text links to, and its code spans: a translation has the same. */
function fixedParts(text) {
  return [...text.matchAll(/\(command:[^)]*\)|`[^`]*`|\]\([^)]*\)/g)].map(([part]) => part).sort();
}

/**
 * Compares texts with a translation of them.
 * @param {Map<string, string>} english by key
 * @param {Record<string, string>} translated by key
 * @returns {string[]} what is missing, unused, or has other placeholders, links or code spans
 */
export function translationFaults(english, translated, name) {
  const faults = [];
  for (const [key, text] of english) {
    const other = translated[key];
    if (other === undefined || other.trim() === '') faults.push(`${name} has no text for "${key}".`);
    else if (!sameItems(placeholders(text), placeholders(other))) faults.push(`${name}: "${key}" has other placeholders.`);
    else if (!sameItems(fixedParts(text), fixedParts(other))) faults.push(`${name}: "${key}" has other links or code.`);
  }
  for (const key of Object.keys(translated)) if (!english.has(key)) faults.push(`${name} has "${key}", which nothing uses.`);
  return faults;
}

/** @returns {{ texts: Map<string, string>, faults: string[] }} the keys in the code, and the calls that are wrong; see textsOf */
export function codeTexts() {
  const found = sources().map(({ file, text }) => textsOf(file, text));
  return { texts: new Map(found.flatMap(({ keys }) => keys).map((key) => [key, key])), faults: found.flatMap(({ faults }) => faults) };
}

/** Everything that is wrong with the texts in the code and their translations. @param code what codeTexts found */
export function codeFaults({ texts, faults } = codeTexts()) {
  return [...faults, ...languages.flatMap((language) => {
    const file = `l10n/bundle.l10n.${language}.json`;
    return translationFaults(texts, readJson(file), file);
  })];
}

/** Everything that is wrong with the texts of package.json: keys without a text, texts without a key, and their translations. */
export function manifestFaults() {
  const manifest = readFileSync(path.join(root, 'package.json'), 'utf8');
  const english = readJson('package.nls.json');
  const asked = new Set([...manifest.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key));
  return [
    ...[...asked].filter((key) => english[key] === undefined).map((key) => `package.nls.json has no text for "${key}".`),
    ...Object.keys(english).filter((key) => !asked.has(key)).map((key) => `package.nls.json has "${key}", which nothing uses.`),
    ...languages.flatMap((language) => translationFaults(new Map(Object.entries(english)), readJson(`package.nls.${language}.json`), `package.nls.${language}.json`)),
  ];
}

function readJson(file) {
  return existsSync(path.join(root, file)) ? JSON.parse(readFileSync(path.join(root, file), 'utf8')) : {};
}
