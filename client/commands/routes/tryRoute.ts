import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { requestRoles, workKinds, type RequestRole, type WorkKind } from '../../../server/api/purpose.ts';
import type { TryRouteParams, TryRouteResult } from '../../../server/api/routes/tryRoute.ts';
import { NextStep } from '../../base/errors.ts';
import { kindTitles, roleTitles } from '../../settings/policies/purposes.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askChoice, valueOf, type Choice } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { askRoute } from './firstRoute.ts';
import { dryRunLines, sizeText } from './dryRunLines.ts';

const sizes: readonly { label: string; tokens: number }[] = [
  { label: t('A question'), tokens: 1_000 }, { label: t('A few files'), tokens: 8_000 }, { label: t('An agent at work'), tokens: 40_000 }, { label: t('A long session'), tokens: 150_000 }, { label: t('A whole repository'), tokens: 600_000 },
];
const largestPrompt = 100_000_000;

type Purpose = Pick<TryRouteParams, 'role' | 'kind'>;

/** "Dry Run of a Request…": a route, how long the prompt is and what is in it; then where it would go now, and why. */
export async function tryRoute(services: CommandServices, target: CommandTarget): Promise<void> {
  const { routes } = services.configuration.settings;
  if (Object.keys(routes).length === 0) throw new NextStep(t('A dry run needs a route first.'), { title: t('New Route…'), command: 'waybill.newRoute' });
  const route = target.route ?? await askRoute(Object.keys(routes), t('Dry Run'), t('Choose the route that the request asks for'));
  if (route === undefined) return;
  const { byRole, byKind } = routes[route] ?? {};
  const totalSteps = byRole === undefined && byKind === undefined ? 2 : 3;
  const look = { title: t('Dry Run of "{0}"', route), totalSteps };
  const inputTokens = valueOf(await askChoice<number>({
    ...look, step: 1, placeholder: t('How long is the prompt? Or type a number of tokens'), active: 1,
    items: sizes.map(({ label, tokens }) => ({ label, description: sizeText(tokens), value: tokens })),
    typed: text => {
      const tokens = Number(text.replaceAll(/[,_\s]/g, ''));
      return Number.isInteger(tokens) && tokens >= 0 && tokens <= largestPrompt ? { label: `$(edit) ${sizeText(tokens)}`, alwaysShow: true, value: tokens } : undefined;
    },
  }));
  if (inputTokens === undefined) return;
  const content = valueOf(await askChoice<{ tools: boolean; images: boolean }>({
    ...look, step: 2, placeholder: t('What is in it?'),
    items: [
      { label: t('Text'), value: { tools: false, images: false } }, { label: t('Text and tools'), description: t('as an agent sends it'), value: { tools: true, images: false } },
      { label: t('Text and images'), value: { tools: false, images: true } }, { label: t('Text, tools and images'), value: { tools: true, images: true } },
    ],
  }));
  if (content === undefined) return;
  const purpose = totalSteps === 2 ? {} : valueOf(await askChoice<Purpose>({ ...look, step: 3, placeholder: t('Who asks, and what for?'), items: purposes(byRole !== undefined, byKind !== undefined) }));
  if (purpose === undefined) return;
  const params: TryRouteParams = { requestedModel: route, inputTokens, ...content, ...purpose };
  await show(params, await services.server.tryRoute(params), services);
}

function purposes(roles: boolean, kinds: boolean): Choice<Purpose>[] {
  return [
    { label: t('$(dash) Not known'), description: t('what the route says of purposes is not looked at'), value: {} },
    ...(roles ? (Object.keys(requestRoles) as RequestRole[]).map((role): Choice<Purpose> => ({ label: roleTitles[role], description: requestRoles[role], value: { role } })) : []),
    ...(kinds ? (Object.keys(workKinds) as WorkKind[]).map((kind): Choice<Purpose> => ({ label: kindTitles[kind], description: workKinds[kind], value: { kind } })) : []),
  ];
}

async function show(params: TryRouteParams, result: TryRouteResult, services: CommandServices): Promise<void> {
  const canary = services.server.status?.canaries?.find(({ route, phase }) => route === params.requestedModel && (phase === 'running' || phase === 'paused' || phase === 'promoted'));
  const { title, why, targets, leftOut, notes } = dryRunLines(params, result, canary);
  const line = ({ label, description, detail }: { label: string; description: string; detail?: string }): Choice<string> => ({ label, description, ...(detail === undefined ? {} : { detail }), value: '' });
  const separator = (label: string): Choice<string> => ({ label, kind: vscode.QuickPickItemKind.Separator, value: '' });
  await askChoice<string>({
    title, placeholder: why,
    items: [
      ...targets.map(line), ...notes.map(line), ...(leftOut.length === 0 ? [] : [separator(t('Left out')), ...leftOut.map(line)]), separator(''), { label: t('$(check) Done'), value: '' },
    ],
  });
}
