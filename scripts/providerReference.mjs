// docs/providers.md: what each provider refuses, renames, bounds and charges, from the catalog and the tables of charges.
import { factsOf } from '../server/catalog/facts/dialectWords.ts';
import { modelFamilies } from '../server/catalog/facts/modelFamilies.ts';
import { providers } from '../server/catalog/providers.ts';
import { geoFactors, placeFactors, speedFactors, tierFactors, toolFees } from '../server/pricing/chargeTables.ts';
import { strictProviders } from '../server/sandbox/strict/strictProviders.ts';

const introduction = `# Providers

What each provider refuses, renames, bounds and charges beside tokens, made from the catalog (\`npm run providers\`): the same data that requests
are made fit by. It holds for callers of all four protocols, also where caller and provider speak the same one; what was changed is in the
receipt. Each fact has its source and the day on which it was read; *secondary* means that another page quotes the vendor's, and *not read again*
that no page was found for it. A provider marked as *simulated* is played in the tests by a provider that refuses what the real one does; where the
words of its refusals were found for some of them only, it is said how many, and the others have its shape.

`;

const source = ({ url, read, secondary }) => `${url.startsWith('https://') ? `[${url.replace(/^https:\/\/(?:www\.)?/, '').replace(/\/(?:issues|pull)\//, '#').slice(0, 70)}](${url})` : url}, ${read}${secondary === true ? ', secondary' : ''}`;

const table = (rows) => ['| | what | source |', '|---|---|---|', ...rows.map(([kind, words, from]) => `| ${kind} | ${words} | ${from} |`), ''].join('\n');

/** Facts whose source is that of another: an own line would say the same. */
const sameAs = { maxTokensFieldOnly: 'maxTokensField' };

function sourcesOf(provider, of) {
  const found = (provider.sources ?? []).filter((one) => one.of.includes(of) || one.of.includes(sameAs[of]));
  return found.length === 0 ? 'not read again' : found.map(source).join('; ');
}

function charges(provider) {
  const rows = [];
  for (const { id, name, priceFactor } of provider.regions ?? []) if (priceFactor !== undefined) rows.push(['charged', `list prices times ${priceFactor} in ${name} (\`${id}\`)`, sourcesOf(provider, 'prices')]);
  if (provider.pricePreset !== undefined) rows.push(['charged', `prices to check and take over: ${provider.pricePreset.caution}`, `[${provider.pricePreset.source}](${provider.pricePreset.url})`]);
  if (provider.pricesId === undefined) return rows;
  const models = (pattern) => (pattern === undefined ? '' : `, models \`${pattern.source.replaceAll('|', '\\|')}\``);
  const ofProvider = ({ pricesId }) => pricesId === provider.pricesId;
  const add = (words, rule) => rows.push(['charged', `${words}${models(rule.models)}`, chargeSource(rule.source)]);
  const times = (factor) => `${factor.least === true ? 'at least ' : ''}${factor.factor}${factor.shortOnly === true ? ', for prompts below the long-context tier' : ''}${factor.freshOnly === true ? '; of cached tokens no price is published' : ''}`;
  for (const fee of toolFees.filter(ofProvider)) {
    add(`${fee.tool}: ${fee.least === true ? 'at least ' : ''}$${(fee.microUsd / 1000).toFixed(2)} for 1,000 ${fee.per === 'run' ? 'runs' : 'requests'}${fee.allowance === true ? '; an allowance that answers do not tell comes off' : ''}`, fee);
  }
  for (const factor of tierFactors.filter(ofProvider)) add(`service tier ${factor.tiers.map((tier) => `\`${tier}\``).join(', ')}: list prices times ${times(factor)}`, factor);
  for (const factor of speedFactors.filter(ofProvider)) add(`speed \`${factor.speed}\`: list prices times ${times(factor)}`, factor);
  for (const factor of geoFactors.filter(ofProvider)) add(`inference in \`${factor.geo}\`: list prices times ${times(factor)}`, factor);
  for (const factor of placeFactors.filter(ofProvider)) add(`at \`${factor.host.source.replaceAll('|', '\\|')}\`: list prices times ${times(factor)}`, factor);
  return rows;
}

function chargeSource(text) {
  return text.replace(/^D /, '').replace(/^S /, 'secondary, ').replace(/^P /, 'price library ');
}

/** How many of a simulator's rules have words that are documented or reported, where not all have. */
function wordsFound({ checks }) {
  const kinds = Object.values(checks).flat().map(({ source: from }) => from?.words);
  const found = kinds.filter((words) => words !== 'assumed').length;
  return found === kinds.length ? '' : ` (the words of ${found} of ${kinds.length} groups of refusals were found)`;
}

function providerSection(provider) {
  const rows = factsOf(provider.dialect).map(({ of, fact }) => [fact.kind, fact.words, sourcesOf(provider, of)]);
  const all = [...rows, ...charges(provider)];
  const protocols = [...new Set([provider.protocol, ...Object.keys(provider.baseUrls)])];
  const played = provider.id in strictProviders ? `, simulated${wordsFound(strictProviders[provider.id])}` : '';
  const families = modelFamilies.filter((family) => family.protocols.some((protocol) => (protocol.startsWith('openai') ? protocol === provider.protocol : protocols.includes(protocol)))).map(({ name }) => name);
  return [
    `## ${provider.name}\n`, `\`${provider.id}\`; ${protocols.map((protocol) => `\`${protocol}\``).join(', ')}${played}. Prices: ${provider.pricesId === undefined ? (provider.local === true ? 'none, it runs on your machine' : 'none built in') : `the list of the price table (\`${provider.pricesId}\`)`}. Address and keys: ${sourcesOf(provider, 'address')}.`,
    families.length === 0 ? '' : `What its models refuse by their names: ${families.join(', ')}, below.`, '',
    all.length === 0 ? 'Nothing is known that it refuses, renames or bounds: a refusal that names a part is repaired once, and remembered for a day.\n' : table(all),
    ...(provider.undocumented ?? []).map((words) => `Not documented where it was looked for: ${words}.\n`),
  ].join('\n');
}

function familySection({ name, facts }) {
  return [`## ${name}, wherever they are served\n`, table(facts.map(({ fact, sources }) => [fact.kind, fact.words, sources.map(source).join('; ')]))].join('\n');
}

/** The whole page. */
export function providerReference() {
  const shown = providers.filter(({ id, simulated }) => id !== 'sandbox' && simulated !== true);
  return `${introduction}${shown.map(providerSection).join('\n')}\n${modelFamilies.map(familySection).join('\n')}`.replace(/\n{3,}/g, '\n\n').trimEnd() + '\n';
}
