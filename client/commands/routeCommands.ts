import * as vscode from 'vscode';
import type { RouteSettings } from '../../server/api/settings.ts';
import { parseTargetName, targetName } from '../../server/api/targetName.ts';
import { NextStep } from '../base/errors.ts';
import type { Routes } from '../settings/settingsEdits.ts';
import { leadsTo, moved, nameProblem, targetsOf, weightProblem, withoutRoute, withTarget, withTargets, withWeight } from '../settings/settingsEdits.ts';
import { inform } from '../base/toasts.ts';
import { firstRouteName, orderedModels } from './addProviderSteps.ts';
import type { CommandTarget } from './commandTable.ts';
import { askRoute } from './firstRoute.ts';
import { askChoice, askText, valueOf } from './input/quickInput.ts';
import { addProviderAction } from './input/pickers.ts';
import { heedsWeights, optionText, routeOptionNames, routeOptions, type RouteOption } from './routeOptions.ts';
import { undone } from './removal.ts';
import type { CommandServices } from './services.ts';
import { offerUndo } from './undo.ts';

/** "New Route…": a name and a first target; then the route is open for more. */
export async function newRoute(services: CommandServices): Promise<void> {
  const taken = Object.keys(services.configuration.settings.routes);
  if (Object.keys(services.configuration.settings.endpoints).length === 0) throw new NextStep('A route needs a provider first.', addProviderAction);
  const name = valueOf(await askText({
    title: 'New Route', step: 1, totalSteps: 2, placeholder: 'Name', prompt: 'The name that the model picker shows and that tools ask for',
    value: taken.includes(firstRouteName) ? '' : firstRouteName, problem: text => nameProblem(text, taken),
  }));
  if (name === undefined) return;
  const target = await askTarget(services, [], { title: `New Route "${name}"`, step: 2, totalSteps: 2, placeholder: 'Choose the model that requests go to first' });
  if (target === undefined) return;
  await services.configuration.changeRoutes(routes => withTarget(routes, name, target));
  await editTargets(services, name, [target]);
}

/** "Edit Route…": the targets in order; each can be moved, weighed or removed, others and routes added; the strategy; and what follows a failure. Every change is saved at once. */
export async function editRoute(services: CommandServices): Promise<void> {
  const { routes } = services.configuration.settings;
  if (Object.keys(routes).length === 0) return newRoute(services);
  const name = await askRoute(Object.keys(routes), 'Edit Route', 'Choose a route');
  if (name !== undefined) await editTargets(services, name, targetsOf(routes[name]));
}

/** "Remove Route…". */
export async function removeRoute(services: CommandServices): Promise<void> {
  const names = Object.keys(services.configuration.settings.routes);
  if (names.length === 0) throw new NextStep('There is no route yet.', { title: 'New Route…', command: 'waybill.newRoute' });
  const name = valueOf(await askChoice({ title: 'Remove Route', placeholder: 'Choose a route', items: names.map(route => ({ label: route, value: route })) }));
  if (name === undefined) return;
  const remove = 'Remove';
  const pick = await vscode.window.showWarningMessage(
    `Remove the route "${name}"?`, { modal: true, detail: 'Chats and tools that ask for it will get an error. Providers and keys stay.' }, remove,
  );
  if (pick !== remove) return;
  let before: Routes = {};
  let after: Routes = {};
  await services.configuration.changeRoutes(routes => {
    before = routes;
    after = withoutRoute(routes, name);
    return after;
  });
  await offerUndo(`Removed the route "${name}".`, () => services.configuration.changeRoutes(now => undone(before, after, now)));
}

/** "Add Model to Route…", on a model in the tree or for one of an endpoint's: it becomes the last fallback of a route. */
export async function addToRoute(services: CommandServices, target: CommandTarget): Promise<void> {
  const entry = target.endpoint !== undefined && target.model !== undefined
    ? targetName(target.endpoint, target.model)
    : await askTarget(services, [], { title: 'Add Model to Route', placeholder: 'Choose a model' }, target.endpoint);
  if (entry === undefined) return;
  const names = Object.keys(services.configuration.settings.routes);
  const route = names.length === 0 ? firstRouteName : await askRoute(names, 'Add Model to Route', `Choose the route that ${entry} should back up`);
  if (route === undefined) return;
  await services.configuration.changeRoutes(routes => withTarget(routes, route, entry));
  void inform(`${entry} is in the route "${route}".`);
}

type EditChoice = { kind: 'target'; index: number } | { kind: 'add' } | { kind: 'option'; option: RouteOption } | { kind: 'done' };
type TargetChange = 'first' | 'up' | 'down' | 'weight' | 'remove';

async function editTargets(services: CommandServices, route: string, initial: readonly string[]): Promise<void> {
  let targets = [...initial];
  for (;;) {
    const settings = settingsOf(services, route);
    const choice = valueOf(await askChoice<EditChoice>({
      title: `Edit Route "${route}"`,
      placeholder: heedsWeights(settings) ? 'Choose a model to give it a weight, to move or to remove it' : 'Requests go to the first model that can answer. Choose one to move or remove it',
      items: [
        ...targets.map((target, index) => ({
          label: `${String(index + 1)}. ${target}`, ...(heedsWeights(settings) ? { description: `weight ${String(settings.weights?.[target] ?? 1)}` } : {}), value: { kind: 'target', index } as const,
        })),
        { label: '$(add) Add a Model…', value: { kind: 'add' } as const },
        ...routeOptionNames.map(option => ({ label: `$(gear) ${routeOptions[option].title}…`, description: optionText(option, settings), value: { kind: 'option', option } as const })),
        { label: '$(check) Done', value: { kind: 'done' } as const },
      ],
    }));
    if (choice === undefined || choice.kind === 'done') return;
    if (choice.kind === 'option') {
      await editOption(services, route, choice.option);
      continue;
    }
    let next: string[];
    if (choice.kind === 'add') {
      const added = await askTarget(services, targets, { title: `Edit Route "${route}"`, placeholder: 'Choose the model or route that takes over when the others fail', into: route });
      if (added === undefined) continue;
      next = [...targets, added];
    } else {
      const changed = await askChange(targets, choice.index, heedsWeights(settings));
      if (changed === undefined) continue;
      if (changed === 'weight') {
        await editWeight(services, route, targets[choice.index] ?? '', settings);
        continue;
      }
      next = changed;
    }
    await services.configuration.changeRoutes(routes => withTargets(routes, route, next));
    targets = next;
  }
}

function settingsOf(services: CommandServices, route: string): RouteSettings {
  return services.configuration.settings.routes[route] ?? { targets: [] };
}

async function editOption(services: CommandServices, route: string, option: RouteOption): Promise<void> {
  const { title, values } = routeOptions[option];
  const now = optionText(option, settingsOf(services, route));
  const chosen = valueOf(await askChoice({
    title: `Edit Route "${route}"`,
    placeholder: title,
    items: values.map(value => ({ label: value.label, detail: value.detail, ...(value.label === now ? { description: 'now' } : {}), value })),
  }));
  if (chosen === undefined) return;
  await services.configuration.changeRoutes(routes => ({ ...routes, [route]: chosen.change(routes[route] ?? { targets: [] }) }));
}

async function editWeight(services: CommandServices, route: string, target: string, settings: RouteSettings): Promise<void> {
  const weight = valueOf(await askText({
    title: `Edit Route "${route}"`, prompt: `How much ${target} gets in proportion to the other models of the route`, placeholder: 'Weight', value: String(settings.weights?.[target] ?? 1), problem: weightProblem,
  }));
  if (weight !== undefined) await services.configuration.changeRoutes(routes => withWeight(routes, route, target, Number(weight)));
}

/** @param weighs the route heeds weights */
async function askChange(targets: readonly string[], index: number, weighs: boolean): Promise<string[] | 'weight' | undefined> {
  const change = valueOf(await askChoice<TargetChange>({
    title: targets[index] ?? '',
    placeholder: 'What should happen with this model?',
    items: [
      ...(weighs ? [{ label: '$(law) Set Its Weight…', value: 'weight' as const }] : []),
      ...(index > 0 ? [{ label: '$(arrow-up) Move Up', value: 'up' as const }] : []),
      ...(index < targets.length - 1 ? [{ label: '$(arrow-down) Move Down', value: 'down' as const }] : []),
      ...(index > 1 ? [{ label: '$(fold-up) Make It the First', value: 'first' as const }] : []),
      ...(targets.length > 1 ? [{ label: '$(trash) Remove from the Route', value: 'remove' as const }] : []),
    ],
  }));
  switch (change) {
    case undefined: return undefined;
    case 'weight': return 'weight';
    case 'first': return moved(targets, index, 0);
    case 'up': return moved(targets, index, index - 1);
    case 'down': return moved(targets, index, index + 1);
    case 'remove': return targets.filter((_, position) => position !== index);
  }
}

/** Asks for a model of any endpoint, as a target; one that no provider lists can be typed. */
export async function askTarget(
  services: CommandServices, present: readonly string[], look: { title: string; placeholder: string; step?: number; totalSteps?: number; into?: string }, only?: string,
): Promise<string | undefined> {
  const endpoints = services.configuration.settings.endpoints;
  const known = (services.server.status?.endpoints ?? []).filter(({ name }) => only === undefined || name === only).flatMap(endpoint =>
    orderedModels(endpoint.models, present.length === 0 ? undefined : { targets: [...present] }).map(model => targetName(endpoint.name, model)));
  const { into } = look;
  const { routes } = services.configuration.settings;
  const inner = into === undefined ? [] : Object.keys(routes).filter(name => !present.includes(name) && !leadsTo(routes, name, into));
  const open = known.filter(target => !present.includes(target));
  return valueOf(await askChoice<string>({
    ...look,
    placeholder: `${look.placeholder}, or type provider/model`,
    items: [...open.map(target => ({ label: target, value: target })), ...inner.map(name => ({ label: name, description: 'route', value: name }))],
    typed: text => {
      const parts = parseTargetName(text);
      if (parts === undefined || endpoints[parts.endpoint] === undefined || known.includes(text) || present.includes(text)) return undefined;
      return { label: `$(edit) Use "${text}"`, alwaysShow: true, value: text };
    },
  }));
}
