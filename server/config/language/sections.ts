import { isMap, isScalar, parseDocument } from 'yaml';
import { ruleSections, type RuleSection } from './rulesFile.ts';

/** The lines of one section of a file, from its name to the next section. */
interface Slice { section: string; from: number; to: number }

/**
 * The sections of a file that hold rules, as they are written, in their order. Endpoints, with their keys and headers, are no
 * part of it. Undefined where the file cannot be read as sections on lines of their own.
 */
export function rulesIn(text: string): string | undefined {
  const slices = slicesOf(text);
  return slices?.filter(({ section }) => isRules(section)).map(({ from, to }) => ended(text.slice(from, to))).join('');
}

/**
 * A file with its rules replaced, and everything else as it is: sections that the rules lack go, and those that the file lacks
 * come to its end. Undefined where either cannot be read.
 */
export function withRules(text: string, rules: string): string | undefined {
  const [slices, wanted] = [slicesOf(text), slicesOf(rules)];
  if (slices === undefined || wanted === undefined) return undefined;
  const textOf = new Map(wanted.map(({ section, from, to }) => [section, ended(rules.slice(from, to))]));
  let made = text.slice(0, slices[0]?.from ?? text.length);
  for (const { section, from, to } of slices) {
    if (!isRules(section)) made = ended(made) + text.slice(from, to);
    else made += textOf.get(section) ?? '';
    textOf.delete(section);
  }
  const rest = [...textOf].filter(([section]) => isRules(section)).map(([, added]) => added).join('');
  return rest === '' ? made : ended(made) + rest;
}

function isRules(section: string): section is RuleSection {
  return ruleSections.some(one => one === section);
}

function slicesOf(text: string): Slice[] | undefined {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true, logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (!isMap(contents) || contents.flow === true) return undefined;
  const starts = contents.items.map(({ key }) => (isScalar(key) ? { section: String(key.value), from: key.range?.[0] ?? 0 } : { section: '', from: 0 }));
  const end = document.range[1] < text.length && /^(?:---|\.\.\.)/m.test(text.slice(document.range[1])) ? document.range[1] : text.length;
  return starts.map(({ section, from }, index) => ({ section, from, to: starts[index + 1]?.from ?? end }));
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
