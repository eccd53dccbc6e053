import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { RequestFilter } from '../../../server/api/reports/requestFilter.ts';
import { amountProblem, readUsd } from '../../base/amount.ts';
import { formatListTime } from '../../base/figures.ts';
import { microUsdToDecimal } from '../../../server/api/reports/csv.ts';
import { toolText } from '../../base/outcomeWording.ts';
import type { ConversationTitles } from '../../chat/conversationTitles.ts';
import { filterWords, isFilterPart, knownValues, outcomeTitles, partTitles, readDays, timeChoices } from '../../views/requests/filterModel.ts';
import type { FilterPart } from '../../views/requests/filterModel.ts';
import type { RequestsView } from '../../views/requests/requestsView.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askChoice, askText, valueOf } from '../input/quickInput.ts';
import type { Answer, Choice } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';

const title = t('Filter Requests');
/** So many of the latest requests are looked at for values to choose from; others can be typed. */
const lookedAt = 500;
const offeredParts = ['text', 'tool', 'model', 'endpoint', 'provider', 'route', 'outcome', 'conversation', 'workspace', 'branch', 'extension', 'token', 'user', 'team', 'purpose', 'cost', 'time'] as const satisfies FilterPart[];
type OfferedPart = (typeof offeredParts)[number];

/** "Filter Requests…": asks what to filter by and for which value, and adds that to the filter. With a filter as its target it shows just that, and asks nothing. */
export async function filterRequests(services: CommandServices, target: CommandTarget, view: Pick<RequestsView, 'filter' | 'show'>, titles: Pick<ConversationTitles, 'of'>): Promise<void> {
  if (target.filter !== undefined) {
    await view.show(target.filter);
    return;
  }
  const style = { locale: currentLanguage() };
  let part = offeredParts.find(one => one === target.condition);
  for (;;) {
    const words = new Map(filterWords(view.filter, style).map(one => [one.part, one.words] as const));
    part ??= await askPart(words);
    if (part === undefined) return;
    const answer = await askValue(services, part, view.filter, titles, isFilterPart(target.condition));
    if (answer.kind === 'cancel') return;
    if (answer.kind === 'value') {
      await view.show({ ...view.filter, ...answer.value });
      return;
    }
    part = undefined;
  }
}

async function askPart(words: ReadonlyMap<FilterPart, string>): Promise<OfferedPart | undefined> {
  const choice = await askChoice<OfferedPart | 'clear'>({
    title, placeholder: words.size === 0 ? t('What to filter by') : t('What to filter by, beside what is chosen'),
    items: [
      ...offeredParts.map((part): Choice<OfferedPart> => ({ label: `${partTitles[part]}…`, description: words.get(part) === undefined ? '' : t('now {0}', words.get(part) ?? ''), value: part })),
      ...(words.size === 0 ? [] : [{ label: t('$(clear-all) Clear the filter'), description: [...words.values()].join(' · '), value: 'clear' as const }]),
    ],
  });
  const part = valueOf(choice);
  if (part !== 'clear') return part;
  await vscode.commands.executeCommand('waybill.clearRequestFilter');
  return undefined;
}

/** Asks for the value of a part. @returns the fields that it sets */
async function askValue(services: CommandServices, part: OfferedPart, filter: RequestFilter, titles: Pick<ConversationTitles, 'of'>, direct: boolean): Promise<Answer<RequestFilter>> {
  const canGoBack = !direct;
  switch (part) {
    case 'text': {
      const prompt = services.configuration.settings.keepTitles
        ? t('Names, ids, errors and the first words of conversations. The rest of prompts and answers is not kept, so it cannot be searched.')
        : t('Names, ids and errors that are kept of requests. Prompts and answers are not kept, so they cannot be searched.');
      return mapped(await askText({ title, placeholder: 'gpt-4.1', prompt, value: filter.text, canGoBack, problem: text => (text === '' ? t('Type a text to look for.') : undefined) }), text => ({ text }));
    }
    case 'cost': {
      const value = filter.minCostMicroUsd === undefined ? undefined : microUsdToDecimal(filter.minCostMicroUsd);
      const prompt = t('The least that a request cost, in US dollars. Requests whose cost is unknown are left out.');
      return mapped(await askText({ title, placeholder: '0.10', prompt, value, canGoBack, problem: text => amountProblem(readUsd(text)) }), text => ({ minCostMicroUsd: Number(readUsd(text)) }));
    }
    case 'time': return askTime(canGoBack);
    case 'outcome': return mapped(await askChoice({
      title, placeholder: t('What became of the request'), canGoBack,
      items: Object.entries(outcomeTitles).map(([outcome, label]) => ({ label, value: outcome as NonNullable<RequestFilter['outcome']> })),
    }), outcome => ({ outcome }));
    default: return mapped(await askChoice({
      title, placeholder: t('Choose or type: {0}', partTitles[part].toLowerCase()), canGoBack, items: await valueChoices(services, part, titles),
      typed: text => ({ label: text, description: t('as typed'), value: text }),
    }), value => ({ [part]: value }));
  }
}

async function askTime(canGoBack: boolean): Promise<Answer<RequestFilter>> {
  const answer = await askChoice<Pick<RequestFilter, 'fromMs' | 'toMs'>>({
    title, placeholder: t('When requests began: choose, or type days such as 2026-11-20 or 2026-11-20..2026-11-25'), canGoBack,
    items: timeChoices(Date.now()).map(({ label, range }) => ({ label, value: range })),
    typed: (text) => {
      const range = readDays(text);
      return range === undefined ? undefined : { label: text, description: t('local days'), value: range };
    },
  });
  return mapped(answer, range => ({ fromMs: range.fromMs, toMs: range.toMs }));
}

async function valueChoices({ server, configuration }: CommandServices, part: Exclude<OfferedPart, 'text' | 'cost' | 'time' | 'outcome'>, titles: Pick<ConversationTitles, 'of'>): Promise<Choice<string>[]> {
  switch (part) {
    case 'route': return Object.keys(configuration.settings.routes).map(choice);
    case 'provider': {
      const names = new Map((server.status?.endpoints ?? []).map(({ provider, providerName }) => [provider, providerName]));
      return [...names].map(([value, description]) => ({ label: value, description, value }));
    }
    default: {
      const requests = await server.requests({ limit: lookedAt });
      const values = knownValues(requests, part);
      if (part === 'endpoint') return [...new Set([...values, ...Object.keys(configuration.settings.endpoints)])].map(choice);
      if (part !== 'conversation') return values.map(value => (part === 'tool' && toolText({ tool: value }) !== value ? { label: toolText({ tool: value }), description: value, value } : choice(value)));
      const now = Date.now();
      return values.map((value) => {
        const latest = requests.find(({ caller }) => caller.conversation === value);
        const from = latest === undefined ? '' : `${toolText(latest.caller)}, ${formatListTime(latest.startedAt, now, { locale: currentLanguage() })}`;
        const known = titles.of(value) ?? latest?.title;
        return { label: known ?? value, description: known === undefined ? from : `${from} · ${value}`, value };
      });
    }
  }
}

function choice(value: string): Choice<string> {
  return { label: value, value };
}

function mapped<From, To>(answer: Answer<From>, to: (value: From) => To): Answer<To> {
  return answer.kind === 'value' ? { kind: 'value', value: to(answer.value) } : answer;
}
