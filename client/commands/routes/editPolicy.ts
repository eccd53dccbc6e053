import { t } from '@vscode/l10n';
import { moved } from '../../settings/settingsEdits.ts';
import { askChoice, askText, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { askTarget } from './askTarget.ts';
import { fieldText, isSet, numberProblem, numberText, shownFields, typedNumber, type Policy, type PolicyField, type TargetsField } from '../../settings/policies/policy.ts';

/** The settings that are edited. Every change is written at once, to what the user's settings say by then. */
export interface EditedSettings<Settings> {
  /** Such as `Edit Route "coding"`. */
  title: string;
  /** The route's own name, where it is a route: other routes that do not lead there are offered as targets. */
  route?: string;
  read(): Settings;
  write(change: (settings: Settings) => Settings): Promise<void>;
}

/** Asks for the fields of a policy until the user leaves; for a single one just once. */
export async function editPolicy<Settings>(services: CommandServices, edited: EditedSettings<Settings>, policy: Policy<Settings>): Promise<void> {
  let last = 0;
  for (;;) {
    const fields = shownFields(policy, edited.read());
    const [only] = fields;
    if (only === undefined) return;
    if (policy.fields.length === 1) return editField(services, edited, only);
    // What has no further field yet is asked for at once; when it is set, the others follow.
    const settings = edited.read();
    if (fields.length === 1 && !isSet(only, settings)) {
      await editField(services, edited, only);
      if (shownFields(policy, edited.read()).length === 1) return;
      continue;
    }
    const answer = await askChoice<number>({
      title: `${edited.title}: ${policy.title}`, placeholder: t('Choose what to change'), canGoBack: true, active: last,
      items: [...fields.map((field, index) => ({ label: `$(gear) ${field.title}`, description: fieldText(field, settings), value: index })), { label: t('$(check) Done'), value: -1 }],
    });
    const field = answer.kind === 'value' ? fields[answer.value] : undefined;
    if (answer.kind !== 'value' || field === undefined) return;
    last = answer.value;
    await editField(services, edited, field);
  }
}

async function editField<Settings>(services: CommandServices, edited: EditedSettings<Settings>, field: PolicyField<Settings>): Promise<void> {
  const settings = edited.read();
  const title = `${edited.title}: ${field.title}`;
  switch (field.kind) {
    case 'choice': {
      const chosen = valueOf(await askChoice({
        title, placeholder: t('Choose one'), canGoBack: true, active: Math.max(0, field.values.findIndex(value => value.isOf(settings))),
        items: field.values.map(value => ({ label: value.label, detail: value.detail, ...(value.isOf(settings) ? { description: t('now') } : {}), value })),
      }));
      if (chosen !== undefined) await edited.write(now => chosen.change(now));
      return;
    }
    case 'number': {
      const value = field.get(settings);
      const text = valueOf(await askText({
        title, canGoBack: true, placeholder: field.unset, value: value === undefined ? '' : numberText(value / (field.perUnit ?? 1)), problem: typed => numberProblem(field, typed),
        prompt: t('{0}. Empty: {1}', withUnit(field.prompt, field.unit), field.unset),
      }));
      if (text !== undefined) await edited.write(now => field.set(now, typedNumber(field, text)));
      return;
    }
    case 'text': {
      const text = valueOf(await askText({
        title, canGoBack: true, placeholder: field.unset, value: field.get(settings) ?? '', problem: typed => typed === '' ? undefined : field.problem(typed), prompt: t('{0}. Empty: {1}', field.prompt, field.unset),
      }));
      if (text !== undefined) await edited.write(now => field.set(now, text === '' ? undefined : text));
      return;
    }
    case 'target': {
      const now = field.get(settings);
      const chosen = await askTarget(services, now === undefined ? [] : [now], {
        title, placeholder: field.placeholder, first: [{ label: `$(dash) ${field.unset.charAt(0).toUpperCase()}${field.unset.slice(1)}`, ...(now === undefined ? { description: t('now') } : {}), value: '' }],
        ...(edited.route === undefined ? {} : { into: edited.route }),
      });
      if (chosen !== undefined) await edited.write(before => field.set(before, chosen === '' ? undefined : chosen));
      return;
    }
    case 'targets': return editTargetList(services, edited, field);
  }
}

/** A prompt with its unit, where it does not name it. */
function withUnit(prompt: string, unit: string): string {
  switch (unit) {
    case 's': return t('{0}, in seconds', prompt);
    case 'min': return t('{0}, in minutes', prompt);
    case '%': return t('{0}, in per cent', prompt);
    default: return prompt;
  }
}

type ListChoice = { kind: 'target'; index: number } | { kind: 'add' } | { kind: 'done' };

/** Targets in their order: the first is asked for at once, then the list is open for more. */
async function editTargetList<Settings>(services: CommandServices, edited: EditedSettings<Settings>, field: TargetsField<Settings>): Promise<void> {
  const title = `${edited.title}: ${field.title}`;
  for (;;) {
    const settings = edited.read();
    const targets = field.get(settings);
    const choice: ListChoice | undefined = targets.length === 0 ? { kind: 'add' } : valueOf(await askChoice<ListChoice>({
      title, placeholder: t('Choose one to move or remove it'), canGoBack: true,
      items: [
        ...targets.map((target, index) => ({ label: `${String(index + 1)}. ${target}`, value: { kind: 'target', index } as const })),
        { label: t('$(add) Add a Model…'), value: { kind: 'add' } }, { label: t('$(check) Done'), value: { kind: 'done' } },
      ],
    }));
    if (choice === undefined || choice.kind === 'done') return;
    if (choice.kind === 'add') {
      const added = await askTarget(services, [...targets, ...field.not?.(settings) ?? []], { title, placeholder: field.placeholder });
      if (added !== undefined) await edited.write(now => field.set(now, [...field.get(now), added]));
      if (targets.length === 0) return;
      continue;
    }
    const { index } = choice;
    const change = valueOf(await askChoice<'up' | 'down' | 'remove'>({
      title: `${title}: ${targets[index] ?? ''}`, placeholder: t('What should happen with this model?'), canGoBack: true,
      items: [
        ...(index > 0 ? [{ label: t('$(arrow-up) Move Up'), value: 'up' as const }] : []),
        ...(index < targets.length - 1 ? [{ label: t('$(arrow-down) Move Down'), value: 'down' as const }] : []),
        { label: t('$(trash) Remove'), value: 'remove' },
      ],
    }));
    if (change === undefined) continue;
    await edited.write(now => field.set(now, change === 'remove' ? targets.filter((_, position) => position !== index) : moved(targets, index, change === 'up' ? index - 1 : index + 1)));
    if (change === 'remove' && targets.length === 1) return;
  }
}
