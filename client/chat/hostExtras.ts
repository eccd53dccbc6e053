import type * as vscode from 'vscode';
import { conditionIcon } from '../../server/api/condition.ts';
import { thinkingEffortSchema } from './offeredModels.ts';
import type { ShownModel } from './offeredModels.ts';

/**
 * What current VS Code understands beyond its published typings: fields that are not gated at run time. Each is
 * probed or harmless where it is unknown, so that an editor without it merely shows less. Nothing outside this
 * file knows of them.
 */

/** Makes a reasoning part; the class exists at run time without being typed. */
export type ThinkingPartConstructor = new (value: string, id?: string, metadata?: Record<string, unknown>) => object;

/** The editor's class of reasoning parts, or undefined where it has none. `host` is the `vscode` namespace. */
export function thinkingPartConstructor(host: object): ThinkingPartConstructor | undefined {
  const candidate: unknown = 'LanguageModelThinkingPart' in host ? host.LanguageModelThinkingPart : undefined;
  return typeof candidate === 'function' ? (candidate as ThinkingPartConstructor) : undefined;
}

/** The picker's row and hover card: health icon, warning box, price, and the choice of thinking effort. */
export interface PickerExtras {
  readonly statusIcon?: vscode.ThemeIcon;
  readonly warningText?: Record<string, string>;
  readonly pricing?: string;
  readonly isUserSelectable?: boolean;
  readonly configurationSchema?: object;
}

export type PickerModel = vscode.LanguageModelChatInformation & PickerExtras;

/** A model as the editor wants it. `makeIcon` makes a codicon; a model that was never tried shows none. */
export function pickerModel(model: ShownModel, makeIcon: (id: string) => vscode.ThemeIcon): PickerModel {
  return {
    id: model.id,
    name: model.name,
    family: model.family,
    version: model.version,
    detail: model.detail,
    tooltip: model.tooltip,
    maxInputTokens: model.maxInputTokens,
    maxOutputTokens: model.maxOutputTokens,
    capabilities: { imageInput: model.imageInput, toolCalling: model.toolCalling },
    isUserSelectable: true,
    ...(model.icon === conditionIcon({ kind: 'unknown' }) ? {} : { statusIcon: makeIcon(model.icon) }),
    ...(model.warning === undefined ? {} : { warningText: { availability: model.warning } }),
    ...(model.pricing === undefined ? {} : { pricing: model.pricing }),
    ...(model.thinking ? { configurationSchema: thinkingEffortSchema } : {}),
  };
}

/** What newer editors send with a request beside the published options. */
export interface RequestExtras {
  readonly requestInitiator?: unknown;
  readonly modelConfiguration?: Readonly<Record<string, unknown>> | undefined;
}

export function requestExtras(options: vscode.ProvideLanguageModelChatResponseOptions): RequestExtras {
  const sent: typeof options & { requestInitiator?: unknown; modelConfiguration?: unknown; configuration?: unknown } = options;
  const configuration = sent.modelConfiguration ?? sent.configuration;
  return {
    requestInitiator: sent.requestInitiator,
    modelConfiguration: typeof configuration === 'object' && configuration !== null
      ? Object.fromEntries(Object.entries(configuration)) : undefined,
  };
}

/** The editor asks once for everybody and once more for each group of models the user made; groups add none of ours. */
export function asksForGroup(options: vscode.PrepareLanguageModelChatModelOptions): boolean {
  const sent: typeof options & { configuration?: unknown } = options;
  return sent.configuration !== undefined;
}
