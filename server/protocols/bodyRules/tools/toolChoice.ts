import { isObject, parseJson, type JsonObject, type JsonValue } from '../../../base/json.ts';
import type { Dialect } from '../../codec.ts';
import { addInstruction } from '../instruction.ts';
import { takesForcedChoice } from '../modelRules.ts';
import { mustCallWords } from '../promptWords.ts';
import type { FitTarget } from '../rule.ts';

type ChoiceKind = NonNullable<Dialect['toolChoices']>[number];

/** Which kind of choice a `tool_choice` is; undefined for one that is none of these, or that is absent. */
function kindOf(choice: JsonValue | undefined): ChoiceKind | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  // Mistral's name of it, which some callers send to others.
  if (choice === 'any') return 'required';
  return isObject(choice) && choice.type !== 'allowed_tools' ? 'function' : undefined;
}

function isForced(kind: ChoiceKind): boolean {
  return kind === 'required' || kind === 'function';
}

/** Whether a `tool_choice` in JSON bytes may be of a kind that the target refuses. False is certain. @param range where its value stands; undefined: there is none */
export function mayHoldRefusedChoice(bytes: Buffer, range: { start: number; end: number } | undefined, target: FitTarget): boolean {
  if (range === undefined) return false;
  const rules = target.dialect;
  const forced = takesForcedChoice(target);
  if (forced && rules.toolChoices === undefined && rules.forcedChoiceWithoutThinking !== true) return false;
  const kind = kindOf(parseJson(bytes.toString('utf8', range.start, range.end)));
  return kind !== undefined && (rules.toolChoices?.includes(kind) === false || ((rules.forcedChoiceWithoutThinking === true || !forced) && isForced(kind)));
}

/** Asks in words for a call that the target cannot be forced to, and leaves out tools that must not be called. @param add adds an instruction to the body */
export function fitToolChoice(body: JsonObject, target: FitTarget, changes: Set<string>, add: (body: JsonObject, text: string) => void = addInstruction): void {
  const { toolChoices, forcedChoiceWithoutThinking } = target.dialect;
  const choice = body.tool_choice;
  const kind = kindOf(choice);
  if (kind === undefined) return;
  const refused = toolChoices?.includes(kind) === false || (isForced(kind) && (!takesForcedChoice(target) || (forcedChoiceWithoutThinking === true && !turnsThinkingOff(body))));
  if (!refused) return;
  delete body.tool_choice;
  if (!isForced(kind)) {
    if (kind === 'auto') return;
    delete body.tools;
    changes.add('tools were left out, because none may be called');
    return;
  }
  const named = isObject(choice) ? choice.function ?? choice.custom ?? choice : undefined;
  if (kind === 'function' && toolChoices?.includes('required') === true && takesForcedChoice(target) && isObject(named) && Array.isArray(body.tools)) {
    const chosen = body.tools.filter(tool => isObject(tool) && [tool.function, tool.custom, tool].some(entry => isObject(entry) && entry.name === named.name));
    if (chosen.length > 0) {
      body.tools = chosen;
      body.tool_choice = 'required';
      changes.add('the forced choice of a tool was sent as required, with that tool alone');
      return;
    }
  }
  add(body, mustCallWords(isObject(named) && typeof named.name === 'string' ? named.name : undefined));
  changes.add('the forced choice of a tool was asked for in words');
}

function turnsThinkingOff({ thinking, enable_thinking: enabled }: JsonObject): boolean {
  return enabled === false || (isObject(thinking) && thinking.type === 'disabled');
}
