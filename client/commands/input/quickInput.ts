import * as vscode from 'vscode';
import { warn } from '../../base/toasts.ts';

/** How the user left a step. */
export type Answer<T> = { kind: 'value'; value: T } | { kind: 'back' } | { kind: 'cancel' };

export interface StepLook {
  title: string;
  placeholder: string;
  step?: number | undefined;
  totalSteps?: number | undefined;
  /** Shows the back button. */
  canGoBack?: boolean | undefined;
}

export interface InputStep extends StepLook {
  prompt: string;
  value?: string | undefined;
  password?: boolean | undefined;
  /** What is wrong with the text, which then cannot be accepted; called when it is accepted. */
  problem?: ((text: string) => string | undefined) | undefined;
  /** What is surprising about the text, which can be accepted all the same. */
  warning?: ((text: string) => string | undefined) | undefined;
  /** A page that helps with this step. */
  link?: { tooltip: string; url: string } | undefined;
}

/** Asks for a line of text. It is trimmed. The box stays while the user looks something up elsewhere. */
export async function askText(step: InputStep): Promise<Answer<string>> {
  const box = vscode.window.createInputBox();
  const link: vscode.QuickInputButton | undefined = step.link === undefined ? undefined
    : { iconPath: new vscode.ThemeIcon('link-external'), tooltip: step.link.tooltip };
  box.title = step.title;
  box.placeholder = step.placeholder;
  box.prompt = step.prompt;
  box.value = step.value ?? '';
  box.password = step.password ?? false;
  box.ignoreFocusOut = true;
  box.step = step.step;
  box.totalSteps = step.totalSteps;
  box.buttons = [...(step.canGoBack === true ? [vscode.QuickInputButtons.Back] : []), ...(link === undefined ? [] : [link])];
  const comment = (): void => {
    const text = box.value.trim();
    const warning = text === '' ? undefined : step.warning?.(text);
    box.validationMessage = warning === undefined ? undefined : { message: warning, severity: vscode.InputBoxValidationSeverity.Warning };
  };
  return new Promise<Answer<string>>(resolve => {
    const finish = (answer: Answer<string>): void => {
      resolve(answer);
      box.dispose();
    };
    box.onDidChangeValue(comment);
    box.onDidAccept(() => {
      const text = box.value.trim();
      const problem = step.problem?.(text);
      if (problem === undefined) finish({ kind: 'value', value: text });
      else box.validationMessage = { message: problem, severity: vscode.InputBoxValidationSeverity.Error };
    });
    box.onDidTriggerButton(button => {
      if (button === vscode.QuickInputButtons.Back) finish({ kind: 'back' });
      else if (button === link && step.link !== undefined) void vscode.env.openExternal(vscode.Uri.parse(step.link.url));
    });
    box.onDidHide(() => { finish({ kind: 'cancel' }); });
    comment();
    box.show();
  });
}

export interface Choice<T> extends vscode.QuickPickItem { value: T }

export interface PickStep<T> extends StepLook {
  items: readonly Choice<T>[];
  /** The index of the item that has the focus at first. Default: the first. */
  active?: number | undefined;
  /** Makes an item of the text typed, so that a name that is in no list can be given. */
  typed?: ((text: string) => Choice<T> | undefined) | undefined;
}

/** Lets the user choose one item. */
export async function askChoice<T>(step: PickStep<T>): Promise<Answer<T>> {
  const pick = vscode.window.createQuickPick<Choice<T>>();
  pick.items = step.items;
  const active = step.active === undefined || step.active < 1 ? undefined : step.items[step.active];
  if (active !== undefined) pick.activeItems = [active];
  showAsStep(pick, step);
  return new Promise<Answer<T>>(resolve => {
    const finish = (answer: Answer<T>): void => {
      resolve(answer);
      pick.dispose();
    };
    pick.onDidChangeValue(value => {
      const extra = value.trim() === '' ? undefined : step.typed?.(value.trim());
      if (step.typed !== undefined) pick.items = extra === undefined ? step.items : [...step.items, extra];
    });
    pick.onDidAccept(() => {
      // Enter can come before the item made of the text is on screen.
      const text = pick.value.trim();
      const chosen = pick.selectedItems[0] ?? pick.activeItems[0] ?? (text === '' ? undefined : step.typed?.(text));
      if (chosen !== undefined) finish({ kind: 'value', value: chosen.value });
    });
    pick.onDidTriggerButton(() => { finish({ kind: 'back' }); });
    pick.onDidHide(() => { finish({ kind: 'cancel' }); });
    pick.show();
  });
}

export interface ManyStep<T> extends StepLook {
  items: readonly (Choice<T> | vscode.QuickPickItem)[];
  /** Chosen at first. */
  picked: (value: T) => boolean;
  /** A value that stands for all others: choosing it takes the others away, and choosing another takes it away. */
  alone?: ((value: T) => boolean) | undefined;
  /** What is wrong with the values, which then cannot be accepted; the list stays. */
  problem?: ((values: readonly T[]) => string | undefined) | undefined;
}

/** Lets the user choose any number of items. Items without a value are read and cannot be chosen. */
export async function askMany<T>(step: ManyStep<T>): Promise<Answer<T[]>> {
  type Item = Choice<T> | vscode.QuickPickItem;
  const pick = vscode.window.createQuickPick<Item>();
  const chosen = (items: readonly Item[]): Choice<T>[] => items.filter((item): item is Choice<T> => 'value' in item);
  pick.canSelectMany = true;
  pick.items = step.items;
  pick.selectedItems = chosen(step.items).filter(({ value }) => step.picked(value));
  showAsStep(pick, step);
  return new Promise<Answer<T[]>>(resolve => {
    const finish = (answer: Answer<T[]>): void => {
      resolve(answer);
      pick.dispose();
    };
    let before: readonly T[] = valuesOf(chosen(pick.selectedItems));
    pick.onDidChangeSelection(items => {
      const real = chosen(items);
      const { alone } = step;
      const kept = alone === undefined ? real : real.filter(({ value }) => stays(value, valuesOf(real), before, alone));
      before = valuesOf(kept);
      if (kept.length !== items.length) pick.selectedItems = kept;
    });
    pick.onDidAccept(() => {
      const values = valuesOf(chosen(pick.selectedItems));
      const problem = step.problem?.(values);
      if (problem === undefined) finish({ kind: 'value', value: values });
      else void warn(problem);
    });
    pick.onDidTriggerButton(() => { finish({ kind: 'back' }); });
    pick.onDidHide(() => { finish({ kind: 'cancel' }); });
    pick.show();
  });
}

function valuesOf<T>(choices: readonly Choice<T>[]): T[] {
  return choices.map(({ value }) => value);
}

/**
 * Whether a value stays chosen beside the others. Of a value that stands alone and others, those stay that were chosen last.
 * @param before what was chosen before
 */
export function stays<T>(value: T, chosen: readonly T[], before: readonly T[], alone: (value: T) => boolean): boolean {
  const single = chosen.find(alone);
  if (single === undefined || chosen.length === 1) return true;
  return alone(value) !== before.includes(single);
}

/** The value chosen, or undefined when the user left; for single steps, which have no way back. */
export function valueOf<T>(answer: Answer<T>): T | undefined {
  return answer.kind === 'value' ? answer.value : undefined;
}

/** What every list has in common: its title, that it survives a click elsewhere and searches whole lines, and its place among the steps. */
function showAsStep(pick: vscode.QuickPick<vscode.QuickPickItem>, step: StepLook): void {
  pick.title = step.title;
  pick.placeholder = step.placeholder;
  pick.ignoreFocusOut = true;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.step = step.step;
  pick.totalSteps = step.totalSteps;
  pick.buttons = step.canGoBack === true ? [vscode.QuickInputButtons.Back] : [];
}
