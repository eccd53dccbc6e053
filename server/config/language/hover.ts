import { routeStrategies } from '../../api/settings.ts';
import { parseTargetName } from '../../api/targetName.ts';
import { nodeAt } from './cursor.ts';
import { choicesAt, fieldAt, fieldsAt, referenceAt } from './fields.ts';
import type { RulesKnowledge } from './knowledge.ts';
import { namesIn } from './written.ts';

/** What is said of a name or value, in Markdown, and where it stands, in offsets of the text. */
export interface Hover { markdown: string; from: number; to: number }

const strategySentences: Readonly<Record<string, string>> = routeStrategies;

/** What is known of the thing at an offset of a configuration file; undefined where that is nothing. */
export function hover(text: string, offset: number, knowledge: RulesKnowledge): Hover | undefined {
  const node = nodeAt(text, offset);
  if (node === undefined) return undefined;
  const lines = node.kind === 'name' ? ofName(node.path, node.written, knowledge) : ofValue(text, node.path, node.written, knowledge);
  return lines === undefined || lines.length === 0 ? undefined : { markdown: lines.join('\n\n'), from: node.from, to: node.to };
}

function ofName(path: readonly (string | number)[], name: string, knowledge: RulesKnowledge): readonly string[] | undefined {
  const field = fieldsAt(path).find(one => one.name === name);
  if (field !== undefined) return ofField(name, field);
  const [section, owner] = path;
  if (path.length === 1 && section === 'endpoints') return titled('Endpoint', name, knowledge.endpoint(name));
  if (path.length === 1 && section === 'routes') return titled('Route', name, knowledge.route(name));
  if (path.length === 1 && section === 'aliases') return [`Alias **${name}**`];
  const keys = referenceAt(path);
  if (keys === undefined || !('keys' in keys)) return undefined;
  return keys.keys === 'models' ? ofTarget(String(owner), name, knowledge) : ofReference(name, 'entry', new Set(), knowledge);
}

function ofValue(text: string, path: readonly (string | number)[], value: string, knowledge: RulesKnowledge): readonly string[] | undefined {
  const reference = referenceAt(path);
  if (reference !== undefined && 'to' in reference && reference.to !== 'provider' && reference.to !== 'region') {
    return ofReference(value, reference.to, new Set(namesIn(text).routes.keys()), knowledge);
  }
  const name = path.at(-1);
  const field = fieldAt(typeof name === 'number' ? path.slice(0, -1) : path);
  if (name === 'strategy' && strategySentences[value] !== undefined) return [`Strategy **${value}**: ${strategySentences[value]}.`];
  return field === undefined ? undefined : ofField(field.name, field, choicesAt(path));
}

function ofReference(value: string, to: string, routes: ReadonlySet<string>, knowledge: RulesKnowledge): readonly string[] | undefined {
  if (to !== 'model' && (routes.has(value) || knowledge.route(value) !== undefined)) return titled('Route', value, knowledge.route(value));
  const target = parseTargetName(value);
  const described = target === undefined ? undefined : ofTarget(target.endpoint, target.model, knowledge);
  if (described !== undefined) return described;
  return to === 'model' || to === 'name' ? titled('Model', value, knowledge.model(value)) : undefined;
}

function ofTarget(endpoint: string, model: string, knowledge: RulesKnowledge): readonly string[] | undefined {
  const described = knowledge.target(endpoint, model);
  return described === undefined ? undefined : titled('Target', `${endpoint}/${model}`, described);
}

function titled(what: string, name: string, described: readonly string[] | undefined): readonly string[] {
  return [`${what} \`${name.replaceAll('`', '')}\``, ...described ?? []];
}

function ofField(name: string, { description, expected }: { description: string | undefined; expected: string }, choices: readonly string[] = []): readonly string[] {
  return [`**${name}**: ${choices.length > 0 ? choices.map(choice => `\`${choice}\``).join(', ') : expected}`, ...description === undefined ? [] : [description]];
}
