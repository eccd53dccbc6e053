import { said, shownIfKnown, shownOf } from '../../server/api/localization/said.ts';
import { t } from '@vscode/l10n';
import { conditionIcon } from '../../server/api/condition.ts';
import type { OfferedModel } from '../../server/api/status.ts';
import type { ShownModels } from '../settings/settings.ts';

/** A model as the picker shows it, in plain data; `icon` is the id of a codicon. */
export interface ShownModel {
  id: string;
  name: string;
  family: string;
  version: string;
  detail: string;
  tooltip: string;
  icon: string;
  warning: string | undefined;
  pricing: string | undefined;
  maxInputTokens: number;
  maxOutputTokens: number;
  imageInput: boolean;
  toolCalling: boolean;
  thinking: boolean;
}

/**
 * The models for VS Code's picker: routes first, then, where the user wants them or has no route, single
 * models. Ids are the server's own and stay for ever, since users' settings hold them. An id of `auto` would be
 * treated specially by the editor: it is never offered.
 */
export function shownModels(offered: readonly OfferedModel[], shown: ShownModels): ShownModel[] {
  const usable = offered.filter(model => model.id !== 'auto');
  const routes = usable.filter(model => model.kind === 'route');
  const models = usable.filter(model => model.kind === 'model');
  return [...routes, ...(shown === 'all' || routes.length === 0 ? models : [])].map(shownModel);
}

/** Prices in words, as the server has them. */
const coveredPrices = [said('simulated: costs nothing'), said('covered by a subscription'), said('free of charge')];

function shownModel(model: OfferedModel): ShownModel {
  return {
    id: model.id,
    name: model.name,
    family: model.kind === 'route' ? `waybill-${model.requestedModel}` : model.requestedModel,
    version: '1',
    detail: model.said === undefined ? model.detail : shownOf(model.said),
    tooltip: tooltipOf(model),
    icon: conditionIcon(model.condition),
    warning: model.saidWarning === undefined ? model.warning : shownOf(model.saidWarning),
    pricing: model.pricing === undefined ? undefined : shownIfKnown(model.pricing, coveredPrices),
    maxInputTokens: model.maxInputTokens,
    maxOutputTokens: model.maxOutputTokens,
    imageInput: model.imageInput,
    toolCalling: model.toolCalling,
    thinking: model.thinking,
  };
}

function tooltipOf(model: OfferedModel): string {
  const what = model.kind === 'route' ? t('Waybill route "{0}"', model.requestedModel) : t('{0}, from whichever provider serves it', model.requestedModel);
  return model.targets.length === 0 ? what : `${what}: ${model.targets.reduce((all, target) => t('{0}, then {1}', all, target))}`;
}

/** Whether two lists would look the same in the picker, so that it is not drawn again for nothing. */
export function sameModels(left: readonly ShownModel[], right: readonly ShownModel[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** What a request to a model of this id asks the server for; also for ids that are not offered at the moment. */
export function wantedName(id: string, offered: readonly OfferedModel[]): string {
  return offered.find(model => model.id === id)?.requestedModel ?? id.replace(/^(route|model):/, '');
}

/** Reads the list kept from an earlier session, without what was known of health then; anything that is not such a list is none. */
export function readKeptModels(value: unknown): OfferedModel[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isOfferedModel).map(model => ({ ...model, state: 'unknown', condition: { kind: 'unknown' }, detail: '', said: undefined, warning: undefined, saidWarning: undefined }));
}

function isOfferedModel(value: unknown): value is OfferedModel {
  if (typeof value !== 'object' || value === null) return false;
  const model: Partial<Record<keyof OfferedModel, unknown>> = value;
  return typeof model.id === 'string' && typeof model.requestedModel === 'string' && typeof model.name === 'string'
    && (model.kind === 'route' || model.kind === 'model') && Array.isArray(model.targets) && typeof model.detail === 'string'
    && typeof model.maxInputTokens === 'number' && typeof model.maxOutputTokens === 'number';
}

/**
 * The picker's choice of thinking effort, as the JSON Schema the editor draws its submenu from. The editor sends the
 * default too, so the default is a value that requests nothing from the model: thinking costs money.
 */
export const thinkingEffortSchema = {
  properties: {
    reasoningEffort: {
      type: 'string',
      title: t('Thinking Effort'),
      enum: ['default', 'low', 'medium', 'high'],
      enumItemLabels: [t('Default'), t('Low'), t('Medium'), t('High')],
      enumDescriptions: [t('What the model does by itself.'), t('Answers sooner and costs less.'), t('A balance of speed and depth.'), t('Thinks longest, for the hardest tasks.')],
      default: 'default',
      group: 'navigation',
    },
  },
} as const;
