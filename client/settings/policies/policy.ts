import { t } from '@vscode/l10n';
import type { RouteSettings } from '../../../server/api/settings.ts';

/** One value of a choice, as it is offered. */
export interface OptionValue<Settings = RouteSettings> {
  label: string;
  detail: string;
  /** The settings with this value; a default is not written. */
  change(settings: Settings): Settings;
  /** Whether it is what the settings have. */
  isOf(settings: Settings): boolean;
}

interface Field<Settings> {
  title: string;
  /** Whether it is asked for; absent: always. */
  shown?(settings: Settings): boolean;
}

/** One of a few values; the default first. */
export interface ChoiceField<Settings = RouteSettings> extends Field<Settings> {
  kind: 'choice';
  values: readonly OptionValue<Settings>[];
}

/** A number that is typed; an empty box is the default. */
export interface NumberField<Settings = RouteSettings> extends Field<Settings> {
  kind: 'number';
  /** What it means, as a sentence without its end. */
  prompt: string;
  /** Behind the number where it is shown, such as `s`; empty for a plain count. */
  unit: string;
  /** How much of what is stored makes one of the unit, such as 1000 for milliseconds that are typed in seconds. Default 1. */
  perUnit?: number;
  /** The bounds of what is typed, in the unit. */
  min: number;
  max: number;
  /** What is stored is a whole number. */
  whole?: true;
  /** What holds while nothing is written, in a few words. */
  unset: string;
  get(settings: Settings): number | undefined;
  set(settings: Settings, value: number | undefined): Settings;
}

/** A line of text; an empty box is the default. */
export interface TextField<Settings = RouteSettings> extends Field<Settings> {
  kind: 'text';
  prompt: string;
  unset: string;
  /** What is wrong with the text, which is not empty. */
  problem(text: string): string | undefined;
  get(settings: Settings): string | undefined;
  set(settings: Settings, text: string | undefined): Settings;
}

/** A model or a route. */
export interface TargetField<Settings = RouteSettings> extends Field<Settings> {
  kind: 'target';
  placeholder: string;
  unset: string;
  get(settings: Settings): string | undefined;
  set(settings: Settings, target: string | undefined): Settings;
}

/** Models in their order. */
export interface TargetsField<Settings = RouteSettings> extends Field<Settings> {
  kind: 'targets';
  placeholder: string;
  unset: string;
  get(settings: Settings): readonly string[];
  set(settings: Settings, targets: readonly string[]): Settings;
  /** Targets that are not offered. */
  not?(settings: Settings): readonly string[];
}

export type PolicyField<Settings = RouteSettings> = ChoiceField<Settings> | NumberField<Settings> | TextField<Settings> | TargetField<Settings> | TargetsField<Settings>;

/** One line of "Edit Route…" or "Edit Provider…": a policy with the fields that it is made of. A single field is asked for at once. */
export interface Policy<Settings = RouteSettings> {
  title: string;
  fields: readonly PolicyField<Settings>[];
  /** What is shown while no field is set. Needed where there are several. */
  unset?: string;
}

/** What the settings have of a field, in a few words. */
export function fieldText<Settings>(field: PolicyField<Settings>, settings: Settings): string {
  switch (field.kind) {
    case 'choice': return (field.values.find(value => value.isOf(settings)) ?? field.values[0])?.label ?? '';
    case 'number': {
      const value = field.get(settings);
      return value === undefined ? field.unset : withUnit(numberText(value / (field.perUnit ?? 1)), field.unit);
    }
    case 'text': case 'target': return field.get(settings) ?? field.unset;
    case 'targets': {
      const targets = field.get(settings);
      return targets.length === 0 ? field.unset : targets.join(', ');
    }
  }
}

function withUnit(number: string, unit: string): string {
  switch (unit) {
    case '': return number;
    case 's': return t('{0} s', number);
    case 'min': return t('{0} min', number);
    default: return `${number} ${unit}`;
  }
}

/** Whether a field is something else than its default. */
export function isSet<Settings>(field: PolicyField<Settings>, settings: Settings): boolean {
  switch (field.kind) {
    case 'choice': return field.values.findIndex(value => value.isOf(settings)) > 0;
    case 'targets': return field.get(settings).length > 0;
    case 'number': case 'text': case 'target': return field.get(settings) !== undefined;
  }
}

export function shownFields<Settings>(policy: Policy<Settings>, settings: Settings): PolicyField<Settings>[] {
  return policy.fields.filter(field => field.shown?.(settings) ?? true);
}

/** Whether any field of a policy is something else than its default. */
export function policyIsSet<Settings>(policy: Policy<Settings>, settings: Settings): boolean {
  return shownFields(policy, settings).some(field => isSet(field, settings));
}

/** What the settings have of a policy, in a few words. */
export function policyText<Settings>(policy: Policy<Settings>, settings: Settings): string {
  const fields = shownFields(policy, settings);
  const [only] = policy.fields;
  if (policy.fields.length === 1 && only !== undefined) return fieldText(only, settings);
  const set = fields.filter(field => isSet(field, settings));
  return set.length === 0 ? policy.unset ?? '' : set.map(field => speaksForItself(field) ? fieldText(field, settings) : `${field.title}: ${fieldText(field, settings)}`).join(' · ');
}

/** Values of choices, and the models of a policy, are understood without the title of their field. */
function speaksForItself({ kind }: { kind: string }): boolean {
  return kind === 'choice' || kind === 'targets';
}

/** What is wrong with a number as it was typed, or undefined. An empty text is the default. */
export function numberProblem({ min, max, whole, perUnit = 1 }: Pick<NumberField, 'min' | 'max' | 'whole' | 'perUnit'>, text: string): string | undefined {
  if (text.trim() === '') return undefined;
  const value = Number(text);
  const wrongPart = whole === true && perUnit === 1 && !Number.isInteger(value);
  if (Number.isFinite(value) && value >= min && value <= max && !wrongPart) return undefined;
  return whole === true && perUnit === 1 ? t('Type a whole number from {0} to {1}, or nothing for the default.', numberText(min), numberText(max))
    : t('Type a number from {0} to {1}, or nothing for the default.', numberText(min), numberText(max));
}

/** The number to store for what was typed. */
export function typedNumber({ whole, perUnit = 1 }: Pick<NumberField, 'whole' | 'perUnit'>, text: string): number | undefined {
  if (text.trim() === '') return undefined;
  const value = Number(text) * perUnit;
  return whole === true ? Math.round(value) : Number(value.toPrecision(12));
}

/** Without the tail that a division leaves. */
export function numberText(value: number): string {
  return String(Number(value.toPrecision(12)));
}

/** The settings with one field; undefined takes it out. */
export function withField<Settings extends object, Key extends keyof Settings>(settings: Settings, key: Key, value: Settings[Key] | undefined): Settings {
  const copy = { ...settings };
  if (value === undefined) Reflect.deleteProperty(copy, key);
  else copy[key] = value;
  return copy;
}

/** The settings with one field of an object within them; undefined takes it out, and an object that is empty then. */
export function withPart<Settings extends object, Key extends keyof Settings, Part extends keyof NonNullable<Settings[Key]>>(
  settings: Settings, key: Key, part: Part, value: NonNullable<Settings[Key]>[Part] | undefined,
): Settings {
  const now = { ...settings[key] } as NonNullable<Settings[Key]> & object;
  const next = withField(now, part, value);
  return withField(settings, key, Object.keys(next).length === 0 ? undefined : next);
}

/** `get` and `set` of a field of an object within a route's settings, such as `timeouts`, `idleMs`. */
export function partOfRoute<Key extends keyof RouteSettings, Part extends keyof NonNullable<RouteSettings[Key]>>(key: Key, part: Part): {
  get(settings: RouteSettings): NonNullable<RouteSettings[Key]>[Part] | undefined;
  set(settings: RouteSettings, value: NonNullable<RouteSettings[Key]>[Part] | undefined): RouteSettings;
} {
  return {
    get: settings => (settings[key] as NonNullable<RouteSettings[Key]> | undefined)?.[part],
    set: (settings, value) => withPart(settings, key, part, value),
  };
}
