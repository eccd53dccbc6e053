import { englishOf } from '../../api/localization/said.ts';
import { parseTargetName } from '../../api/targetName.ts';
import type { Provider } from '../../catalog/provider.ts';
import type { ConfigPath } from '../schemaProblems.ts';
import { cursorAt, type Cursor } from './cursor.ts';
import { choicesAt, fieldsAt, holdsAt, referenceAt } from './fields.ts';
import type { RulesKnowledge } from './knowledge.ts';
import { namesIn, type WrittenNames } from './written.ts';

/** One thing that can stand at a place. */
export interface Suggestion {
  kind: 'field' | 'choice' | 'route' | 'endpoint' | 'target' | 'model' | 'provider';
  label: string;
  insert: string;
  detail?: string | undefined;
  /** Markdown. */
  documentation?: string | undefined;
  /** What it replaces, in offsets of the text. */
  from: number;
  to: number;
}

/** A list to choose from is read by a person: what is beyond this is found by typing more. */
const mostSuggestions = 500;

/** What can stand at an offset of a configuration file. */
export function complete(text: string, offset: number, providers: readonly Provider[], knowledge: RulesKnowledge): Suggestion[] {
  const cursor = cursorAt(text, offset);
  if (cursor === undefined) return [];
  const written = namesIn(text);
  const found = cursor.kind === 'name' ? namesFor(cursor, written, knowledge) : valuesFor(cursor, written, providers, knowledge);
  return found.slice(0, mostSuggestions).map(one => ({ ...one, from: cursor.from, to: cursor.to }));
}

type Bare = Omit<Suggestion, 'from' | 'to'>;

function namesFor({ path, siblings, hasColon }: Cursor, written: WrittenNames, knowledge: RulesKnowledge): Bare[] {
  const holds = holdsAt(path);
  // A list begins on its own line: what is offered there are its items.
  if (holds === 'list') return hasColon ? [] : valuesOf(referenceAt([...path, 0]), path, [], written, knowledge).map(one => ({ ...one, insert: `- ${one.insert}` }));
  const keys = referenceAt(path);
  if (keys !== undefined && 'keys' in keys) {
    const endpoints = path[0] === 'endpoints' ? [String(path[1])] : endpointsOf(written, knowledge);
    const names = keys.keys === 'models' ? [...new Set(endpoints.flatMap(endpoint => modelsAt(endpoint, written, knowledge)))].map(model => bare('model', model)) : (written.routes.get(String(path[1])) ?? []).map(target => bare('target', target));
    return names.filter(({ label }) => !siblings.includes(label)).map(one => ({ ...one, insert: `${quoted(one.label)}${hasColon ? '' : ': '}` }));
  }
  return fieldsAt(path).filter(({ name }) => !siblings.includes(name)).map(({ name, description, expected, holds: inner }) => (
    { kind: 'field', label: name, insert: hasColon ? name : `${name}:${inner === 'mapping' ? '' : ' '}`, detail: expected, documentation: description }
  ));
}

function valuesFor({ path, siblings }: Cursor, written: WrittenNames, providers: readonly Provider[], knowledge: RulesKnowledge): Bare[] {
  const choices = choicesAt(path);
  if (choices.length > 0) return choices.map(choice => bare('choice', choice));
  const reference = referenceAt(path);
  if (reference !== undefined && 'to' in reference && reference.to === 'provider') {
    return providers.map(({ id, name, description }) => ({ kind: 'provider', label: id, insert: id, detail: name, documentation: description === undefined ? undefined : englishOf(description) }));
  }
  if (reference !== undefined && 'to' in reference && reference.to === 'region') {
    const id = written.providers.get(String(path[1]));
    return (providers.find(provider => provider.id === id)?.regions ?? []).map(region => ({ kind: 'choice', label: region.id, insert: region.id, detail: region.name }));
  }
  const found = valuesOf(reference, path, siblings, written, knowledge);
  if (found.length > 0) return found;
  // A value that is a mapping begins with one of its fields, on the next line.
  return holdsAt(path) === 'mapping' ? namesFor({ kind: 'name', path, from: 0, to: 0, written: '', siblings: [], hasColon: false }, written, knowledge) : [];
}

/** What a value can name, without what stands beside it already, and without the route that it is part of. */
function valuesOf(reference: ReturnType<typeof referenceAt>, path: ConfigPath, siblings: readonly string[], written: WrittenNames, knowledge: RulesKnowledge): Bare[] {
  if (reference === undefined || !('to' in reference)) return [];
  const endpoints = endpointsOf(written, knowledge);
  const targets = (): Bare[] => endpoints.flatMap((endpoint) => {
    const models = modelsAt(endpoint, written, knowledge);
    return models.length === 0 ? [bare('endpoint', `${endpoint}/`)] : models.map(model => bare('target', `${endpoint}/${model}`));
  });
  const routes = (): Bare[] => [...written.routes.keys()].filter(name => path[0] !== 'routes' || name !== path[1]).map(name => bare('route', name));
  const models = (): Bare[] => [...new Set(endpoints.flatMap(endpoint => modelsAt(endpoint, written, knowledge)))].map(model => bare('model', model));
  const found = { target: targets, entry: () => [...routes(), ...targets()], name: () => [...routes(), ...models(), ...targets()], model: models, provider: () => [], region: () => [] }[reference.to]();
  return found.filter(({ label }) => !siblings.includes(label));
}

/** The endpoints of the file, else those in use. */
function endpointsOf({ endpoints }: WrittenNames, knowledge: RulesKnowledge): string[] {
  return endpoints.size > 0 ? [...endpoints.keys()] : [...knowledge.endpoints()];
}

function modelsAt(endpoint: string, written: WrittenNames, knowledge: RulesKnowledge): string[] {
  return [...new Set([...written.endpoints.get(endpoint) ?? [], ...knowledge.modelsAt(endpoint), ...namedIn(endpoint, written)])];
}

/** Models that routes of the file name at an endpoint that the file does not describe. */
function namedIn(endpoint: string, { routes }: WrittenNames): string[] {
  return [...routes.values()].flat().flatMap((target) => {
    const parts = parseTargetName(target);
    return parts?.endpoint === endpoint ? [parts.model] : [];
  });
}

function bare(kind: Bare['kind'], label: string): Bare {
  return { kind, label, insert: label };
}

/** A name with a colon or a comma in it is no plain YAML. */
function quoted(name: string): string {
  return /^[\w./-]+(?::[\w./-]+)*$/.test(name) ? name : JSON.stringify(name);
}
