import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import { FourProviders } from './fourProviders.ts';
import { features, type Feature } from './translationFeatures.ts';

/** One cell of the table, as it was seen. */
export interface TranslationCell { feature: Feature; caller: ProtocolName; target: ProtocolName; works: boolean; problem?: string | undefined }

/** Plays every feature for every pair of protocols on one server. A cell that throws does not work, and says why. */
export async function playAllTranslations(): Promise<TranslationCell[]> {
  const four = new FourProviders();
  await four.start();
  const cells: TranslationCell[] = [];
  try {
    for (const caller of protocolNames) for (const target of protocolNames) for (const feature of features) {
      four.reset();
      try {
        cells.push({ feature, caller, target, works: await feature.play({ four, caller, target }) });
      } catch (error) {
        cells.push({ feature, caller, target, works: false, problem: error instanceof Error ? error.message : String(error) });
      }
    }
  } finally {
    await four.close();
  }
  return cells;
}

/** What differs between a cell and what is expected of it, in words; undefined when nothing does. */
export function surprise({ feature, caller, target, works, problem }: TranslationCell): string | undefined {
  const reason = feature.leftOut?.(caller, target);
  if (works === (reason === undefined)) return problem === undefined || reason === undefined ? undefined : `${feature.title} (${caller} to ${target}): ${problem}`;
  return `${feature.title} (${caller} to ${target}): ${works ? `works, though "${reason ?? ''}" was expected` : problem ?? 'does not come through'}`;
}

const names: Readonly<Record<ProtocolName, string>> = {
  'openai-chat': 'Chat', 'openai-responses': 'Responses', 'anthropic-messages': 'Messages', 'gemini': 'Gemini',
};

const heading = `# What each protocol makes of another

A caller speaks one of four protocols, and a provider of any of them may answer. Each cell was played by a real request through a
running server to a simulated provider, and written down by the tests (\`node test/integration/clients/writeTranslationTable.ts\`), which
fail when one changes. **works**: it arrived, or came back, in the other side's own form. What is left out stands with its reason.

Chat is OpenAI Chat Completions, Responses is OpenAI Responses, Messages is Anthropic Messages. Where caller and provider speak the same
protocol, the caller's own bytes go through, except what the provider is known to refuse.
`;

/** The published tables, from what was seen. */
export function translationTables(cells: readonly TranslationCell[]): string {
  const tables = protocolNames.map(caller => {
    const lines = [
      `## A caller that speaks ${names[caller]}`, '',
      `| | ${protocolNames.map(target => `to ${names[target]}`).join(' | ')} |`, `|---|${protocolNames.map(() => '---|').join('')}`,
      ...features.map(feature => `| ${feature.title} | ${protocolNames.map(target => cellText(cells, feature, caller, target)).join(' | ')} |`),
    ];
    return `${lines.join('\n')}\n`;
  });
  return [heading, ...tables].join('\n');
}

function cellText(cells: readonly TranslationCell[], feature: Feature, caller: ProtocolName, target: ProtocolName): string {
  const cell = cells.find(one => one.feature === feature && one.caller === caller && one.target === target);
  if (cell === undefined) throw new Error(`${feature.title} was not played from ${caller} to ${target}`);
  return cell.works ? 'works' : `left out: ${feature.leftOut?.(caller, target) ?? 'does not work'}`;
}
