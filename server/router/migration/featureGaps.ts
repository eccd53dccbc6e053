import type { FeatureUse } from '../../api/reports/migration.ts';
import { requestFeatures, type RequestFeature } from '../../api/reports/features.ts';
import { grouped } from '../../base/grouped.ts';
import { bareModelName } from '../../base/names.ts';
import { operationUrl } from '../../catalog/operations.ts';
import type { ComparedPlace } from '../savings/baseline.ts';

/** What requests used in a range, as far as features go. */
export interface UsedFeatures {
  /** Requests by feature. */
  readonly counts: ReadonlyMap<RequestFeature, number>;
  /** Requests that read from a prompt cache or wrote to it. */
  readonly cached: number;
  readonly streamed: number;
  /** The largest prompt and answer, in tokens. */
  readonly largestPrompt: number;
  readonly largestOutput: number;
}

type Finding = Pick<FeatureUse, 'state' | 'words'>;

/** What the other side makes of each feature that was used, by what is known of the provider and its model. Where several models are meant, the worst of them. */
export function featureUses(used: UsedFeatures, places: readonly ComparedPlace[]): FeatureUse[] {
  const uses: FeatureUse[] = [];
  const add = (feature: string, requests: number | undefined, find: (place: ComparedPlace) => Finding): void => {
    if (requests === 0 || places.length === 0) return;
    const worst = places.map(place => ({ place, ...find(place) })).sort((one, other) => badness[other.state] - badness[one.state])[0];
    if (worst !== undefined) uses.push({ feature, state: worst.state, words: places.length === 1 || worst.state === 'there' ? worst.words : `${worst.place.name}: ${worst.words}`, ...(requests === undefined ? {} : { requests }) });
  };
  for (const feature of requestFeatures) add(featureWords[feature], used.counts.get(feature) ?? 0, place => findings[feature](place));
  add('streaming', used.streamed, () => there('every provider streams'));
  add('prompt caching', used.cached, ({ terms, provider }) => (provider.local === true || terms.configPrices?.cacheReadPerMTok !== undefined || provider.pricesId !== undefined
    ? there('cached tokens are priced as the arithmetic shows') : unknown('no price of cached prompts is known, so they count as fresh')));
  add(`prompts of up to ${grouped(used.largestPrompt)} tokens`, undefined, ({ facts }) => fits(used.largestPrompt, facts.contextWindow, 'the context window'));
  add(`answers of up to ${grouped(used.largestOutput)} tokens`, undefined, ({ facts }) => fits(used.largestOutput, facts.maxOutputTokens, 'the output limit'));
  return uses;
}

const badness: Readonly<Record<FeatureUse['state'], number>> = { missing: 3, unknown: 2, otherwise: 1, there: 0 };

const featureWords: Readonly<Record<RequestFeature, string>> = {
  tools: 'tools', images: 'images', documents: 'documents and files', jsonSchema: 'answers by a JSON schema', reasoning: 'reasoning', hostedTools: 'tools that the provider runs',
  providerState: 'conversations or caches that the provider keeps', logprobs: 'log probabilities', seed: 'a seed', completions: 'completions (fill in the middle)', embeddings: 'embeddings',
};

const there = (words: string): Finding => ({ state: 'there', words });
const missing = (words: string): Finding => ({ state: 'missing', words });
const otherwise = (words: string): Finding => ({ state: 'otherwise', words });
const unknown = (words: string): Finding => ({ state: 'unknown', words });

function byFact(fact: boolean | undefined, what: string): Finding {
  return fact === undefined ? unknown(`nothing is known of ${what} there`) : fact ? there('the model can') : missing('the model cannot');
}

const findings: Readonly<Record<RequestFeature, (place: ComparedPlace) => Finding>> = {
  tools: ({ facts }) => byFact(facts.tools, 'tools'),
  images: ({ facts, provider: { dialect } }) => {
    if (facts.images === true && dialect.imageTypes !== undefined) return otherwise(`only ${dialect.imageTypes.join(', ')}; others are named to the model in words`);
    return facts.images === true && dialect.imageBytesOnly === true ? otherwise('as bytes only, not behind an address') : byFact(facts.images, 'images');
  },
  documents: place => {
    const rule = ruleOf(place, 'documents');
    if (rule === false) return otherwise('texts are sent as text, and what is no text is named to the model');
    return rule === 'pdf' ? otherwise('PDFs only; texts are sent as text') : byFact(place.facts.documents, 'documents');
  },
  jsonSchema: place => {
    if (place.facts.jsonSchema === false) return missing('the model cannot');
    return ruleOf(place, 'jsonSchemaOutput') === false ? otherwise('the schema is asked for in words, which the model may not keep to') : byFact(place.facts.jsonSchema, 'answers by a schema');
  },
  reasoning: ({ facts }) => byFact(facts.thinking, 'reasoning'),
  hostedTools: ({ provider }) => missing(`only the caller's own provider runs them: they are left out for ${provider.name} unless it is that one`),
  providerState: ({ provider }) => missing(`what another provider keeps cannot follow to ${provider.name}: the caller has to send the whole conversation`),
  logprobs: place => (place.provider.protocol === 'anthropic-messages' ? missing('the protocol has none') : dropped(place, 'logprobs')),
  seed: place => (place.provider.protocol === 'anthropic-messages' ? missing('the protocol has none') : dropped(place, 'seed')),
  completions: place => operation('completion', place),
  embeddings: place => operation('embedding', place),
};

/** A rule of the provider, or of its model. */
function ruleOf({ provider: { dialect }, terms }: ComparedPlace, rule: 'documents' | 'jsonSchemaOutput'): boolean | 'pdf' | undefined {
  const ofModel = dialect.models?.find(one => one.names.test(bareModelName(terms.upstreamModel)) && one[rule] !== undefined);
  return ofModel?.[rule] ?? dialect[rule];
}

function dropped({ provider: { dialect } }: ComparedPlace, field: string): Finding {
  const refused = dialect.dropFields?.includes(field) === true || (dialect.knownFields !== undefined && !dialect.knownFields.includes(dialect.seedField !== undefined && field === 'seed' ? dialect.seedField : field));
  return refused ? missing('the provider refuses it, so it is left out') : unknown('nothing is known against it');
}

function operation(kind: 'completion' | 'embedding', { provider, target }: ComparedPlace): Finding {
  const address = target?.endpoint ?? { provider, protocol: provider.protocol, baseUrl: provider.baseUrls[provider.protocol] ?? '' };
  return operationUrl(kind, address as Parameters<typeof operationUrl>[1]) === undefined ? missing('the provider offers none that is known') : there('the provider offers them');
}

function fits(most: number, limit: number | undefined, what: string): Finding {
  if (limit === undefined) return unknown(`${what} is not known`);
  return most <= limit ? there(`${what} is ${grouped(limit)} tokens`) : missing(`${what} is ${grouped(limit)} tokens`);
}
