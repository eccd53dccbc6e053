import { englishOf, said, type Said } from '../../api/localization/said.ts';
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

interface Finding { state: FeatureUse['state']; words: Said }

/** What the other side makes of each feature that was used, by what is known of the provider and its model. Where several models are meant, the worst of them. */
export function featureUses(used: UsedFeatures, places: readonly ComparedPlace[]): FeatureUse[] {
  const uses: FeatureUse[] = [];
  const add = (feature: Said, requests: number | undefined, find: (place: ComparedPlace) => Finding): void => {
    if (requests === 0 || places.length === 0) return;
    const worst = places.map(place => ({ place, ...find(place) })).sort((one, other) => badness[other.state] - badness[one.state])[0];
    if (worst === undefined) return;
    const words = places.length === 1 || worst.state === 'there' ? worst.words : said('{0}: {1}', worst.place.name, worst.words);
    uses.push({ feature: englishOf(feature), saidFeature: feature, state: worst.state, words: englishOf(words), saidWords: words, ...(requests === undefined ? {} : { requests }) });
  };
  for (const feature of requestFeatures) add(featureWords[feature], used.counts.get(feature) ?? 0, place => findings[feature](place));
  add(said('streaming'), used.streamed, () => there(said('every provider streams')));
  add(said('prompt caching'), used.cached, ({ terms, provider }) => (provider.local === true || terms.configPrices?.cacheReadPerMTok !== undefined || provider.pricesId !== undefined
    ? there(said('cached tokens are priced as the arithmetic shows')) : unknown(said('no price of cached prompts is known, so they count as fresh'))));
  add(said('prompts of up to {0} tokens', grouped(used.largestPrompt)), undefined, ({ facts }) => fits(used.largestPrompt, facts.contextWindow, said('the context window')));
  add(said('answers of up to {0} tokens', grouped(used.largestOutput)), undefined, ({ facts }) => fits(used.largestOutput, facts.maxOutputTokens, said('the output limit')));
  return uses;
}

const badness: Readonly<Record<FeatureUse['state'], number>> = { missing: 3, unknown: 2, otherwise: 1, there: 0 };

const featureWords: Readonly<Record<RequestFeature, Said>> = {
  tools: said('tools'), images: said('images'), documents: said('documents and files'), jsonSchema: said('answers by a JSON schema'), reasoning: said('reasoning'), hostedTools: said('tools that the provider runs'),
  providerState: said('conversations or caches that the provider keeps'), logprobs: said('log probabilities'), seed: said('a seed'), completions: said('completions (fill in the middle)'), embeddings: said('embeddings'),
};

const there = (words: Said): Finding => ({ state: 'there', words });
const missing = (words: Said): Finding => ({ state: 'missing', words });
const otherwise = (words: Said): Finding => ({ state: 'otherwise', words });
const unknown = (words: Said): Finding => ({ state: 'unknown', words });

function byFact(fact: boolean | undefined, what: Said): Finding {
  return fact === undefined ? unknown(said('nothing is known of {0} there', what)) : fact ? there(said('the model can')) : missing(said('the model cannot'));
}

const findings: Readonly<Record<RequestFeature, (place: ComparedPlace) => Finding>> = {
  tools: ({ facts }) => byFact(facts.tools, said('tools')),
  images: ({ facts, provider: { dialect } }) => {
    if (facts.images === true && dialect.imageTypes !== undefined) return otherwise(said('only {0}; others are named to the model in words', dialect.imageTypes.join(', ')));
    return facts.images === true && dialect.imageBytesOnly === true ? otherwise(said('as bytes only, not behind an address')) : byFact(facts.images, said('images'));
  },
  documents: place => {
    const rule = ruleOf(place, 'documents');
    if (rule === false) return otherwise(said('texts are sent as text, and what is no text is named to the model'));
    return rule === 'pdf' ? otherwise(said('PDFs only; texts are sent as text')) : byFact(place.facts.documents, said('documents'));
  },
  jsonSchema: place => {
    if (place.facts.jsonSchema === false) return missing(said('the model cannot'));
    return ruleOf(place, 'jsonSchemaOutput') === false ? otherwise(said('the schema is asked for in words, which the model may not keep to')) : byFact(place.facts.jsonSchema, said('answers by a schema'));
  },
  reasoning: ({ facts }) => byFact(facts.thinking, said('reasoning')),
  hostedTools: ({ provider }) => missing(said('only the caller\'s own provider runs them: they are left out for {0} unless it is that one', provider.name)),
  providerState: ({ provider }) => missing(said('what another provider keeps cannot follow to {0}: the caller has to send the whole conversation', provider.name)),
  logprobs: place => (place.provider.protocol === 'anthropic-messages' ? missing(said('the protocol has none')) : dropped(place, 'logprobs')),
  seed: place => (place.provider.protocol === 'anthropic-messages' ? missing(said('the protocol has none')) : dropped(place, 'seed')),
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
  return refused ? missing(said('the provider refuses it, so it is left out')) : unknown(said('nothing is known against it'));
}

function operation(kind: 'completion' | 'embedding', { provider, target }: ComparedPlace): Finding {
  const address = target?.endpoint ?? { provider, protocol: provider.protocol, baseUrl: provider.baseUrls[provider.protocol] ?? '' };
  return operationUrl(kind, address as Parameters<typeof operationUrl>[1]) === undefined ? missing(said('the provider offers none that is known')) : there(said('the provider offers them'));
}

function fits(most: number, limit: number | undefined, what: Said): Finding {
  if (limit === undefined) return unknown(said('{0} is not known', what));
  const words = said('{0} is {1} tokens', what, grouped(limit));
  return most <= limit ? there(words) : missing(words);
}
