import { createHash } from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { claudeModelRules, isClaude } from '../anthropicMessages/claudeModels.ts';
import { leftOut } from '../media.ts';
import { budgetOfEffort, effortOfBudget, parseEffort } from '../reasoningEffort.ts';
import type { BodyBytes, BodyRules, FitTarget } from './rule.ts';
import { fitSystem, fitTexts } from './blankTexts.ts';
import { idsFit, plainCallIds } from './callIdRules.ts';
import { blankWords, holdsBlank, occurrences } from './fieldStrings.ts';
import { commonImageTypes, imageFieldsFit, imageType } from './imageTypes.ts';
import { leaveOut } from './leaveOut.ts';
import { endsWithAssistant, noPrefill } from './lastTurn.ts';
import { refusedFields } from './modelRules.ts';
import { fitTemperature } from './openAiFields.ts';
import { goOn, mustCallWords, schemaWords } from './promptWords.ts';
import { mayHaveSystemTurns, withoutSystemTurns } from './systemTurns.ts';
import { closedSchema } from './tools/strictSchemas.ts';
import { fitId } from './fitId.ts';
import { leaveOutElsewhere, mayBeElsewhere } from './elsewhere.ts';
import { documentAsText } from './turns/documentParts.ts';
import { fitAdaptive, fitThinkingTurns, mayHoldRefusedThinking, thinkingIsOff } from './turns/thinkingTurns.ts';
import { fitted, fitTools, fitToolSchema, ToolListVerdicts } from './tools/toolSchemas.ts';

const samplingFields = ['temperature', 'top_p', 'top_k'] as const;
const leastBudgetTokens = 1024;

/** What targets of Anthropic's Messages refuse; rules of a model's generation hold for Claude only. */
export const messagesRules: BodyRules = {
  topFields: [...samplingFields, 'thinking', 'output_config', 'max_tokens', 'metadata', 'tool_choice', 'service_tier', 'inference_geo', 'speed'],

  fitTop(body, { dialect, model }, changes) {
    if (isClaude(model)) {
      fitThinking(body, model, changes);
      fitSampling(body, model, changes);
      fitUser(body, changes);
    } else {
      fitTemperature(body, dialect.highestTemperature, dialect.temperatureAboveZero === true, changes);
      fitAdaptive(body, dialect, changes);
    }
    leaveOut(body, refusedFields({ dialect, model }), changes);
  },

  mayHoldRefused({ bytes, scan }, { model, dialect }) {
    const { words, fields } = scan;
    if (dialect.bytesAndOwnToolsOnly === true && mayBeElsewhere(bytes, fields.get('tools'))) return true;
    if (mayHaveSystemTurns({ bytes, scan }, model)) return true;
    if ((words.has('tool_use') || words.has('tool_result')) && !callIdsFit(bytes)) return true;
    if (words.has('image') && !imageFieldsFit(bytes, 'media_type', commonImageTypes)) return true;
    const tools = fields.get('tools');
    if (tools !== undefined && !toolLists.fits(bytes.subarray(tools.start, tools.end))) return true;
    if (mayHoldSchema(bytes, scan) && isClaude(model)) return true;
    if (isForced(bytes, fields.get('tool_choice')) && (!claudeModelRules(model).forcedToolChoice || dialect.forcedChoiceWithoutThinking === true)) return true;
    if (dialect.messagesToolChoices !== undefined && fields.has('tool_choice')) return true;
    if (dialect.documents === false && words.has('document')) return true;
    if ((dialect.reasoningRequiredWithTools === true || dialect.redactedThinking === false) && mayHoldRefusedThinking({ bytes, scan }, dialect)) return true;
    if (isClaude(model) && blankWords.some(word => words.has(word)) && (holdsBlank(bytes, 'text') || holdsBlank(bytes, 'content'))) return true;
    return words.has('assistant') && endsWithAssistant({ bytes, scan }, 'messages');
  },

  fitContent(body, target, changes) {
    const { dialect } = target;
    if (dialect.bytesAndOwnToolsOnly === true) leaveOutElsewhere(body, changes);
    if (Array.isArray(body.messages)) body.messages = withoutSystemTurns(body.messages, target.model, changes).map(message => fitMessage(message, dialect.documents === false, changes));
    fitThinkingTurns(body, dialect, changes);
    if (isClaude(target.model)) {
      if (Array.isArray(body.messages)) body.messages = fitTexts(body.messages, changes);
      const system = fitSystem(body.system, changes);
      if (system === undefined) delete body.system;
      else body.system = system;
    }
    if (Array.isArray(body.tools)) body.tools = fitted(body.tools, completedTools, changes);
    fitToolChoice(body, target, changes);
    fitAnswerSchema(body, target, changes);
    const messages = Array.isArray(body.messages) ? body.messages : [];
    const last = messages.at(-1);
    if (noPrefill(target.model) && isObject(last) && last.role === 'assistant' && !calls(last)) {
      body.messages = [...messages, { role: 'user', content: goOn }];
      changes.add('a request to go on was added');
    }
  },
};

/** Ids of calls stand in their results, too: ids of any kind are looked at only where a call may be without one. */
function callIdsFit(bytes: Buffer): boolean {
  if (!idsFit(bytes, 'tool_use_id', plainCallIds)) return false;
  return occurrences(bytes, '"tool_use"') <= occurrences(bytes, '"tool_use_id"') || idsFit(bytes, 'id', plainCallIds);
}

const completedTools = fitTools(fitTool);
const toolLists = new ToolListVerdicts(completedTools);

/**
 * Sampling as the model's generation takes it. From Opus 4.1 and the 4.5 models on, temperature and top_p exclude each other (BerriAI/litellm#15097);
 * with thinking, only the default temperature, a high top_p and no top_k are accepted.
 */
function fitSampling(body: JsonObject, model: string, changes: Set<string>): void {
  const rules = claudeModelRules(model);
  if (!rules.sampling) return leaveOut(body, samplingFields, changes);
  if (rules.oneSampling && body.temperature !== undefined && body.top_p !== undefined) leaveOut(body, ['top_p'], changes);
  const thinks = isObject(body.thinking) && (body.thinking.type === 'enabled' || body.thinking.type === 'adaptive');
  if (!thinks) return;
  if (body.temperature !== 1) leaveOut(body, ['temperature'], changes);
  if (typeof body.top_p === 'number' && body.top_p < leastTopP) leaveOut(body, ['top_p'], changes);
  leaveOut(body, ['top_k'], changes);
}

const leastTopP = 0.95;
const longestUser = 256;
const email = /^[^\s@]{1,128}@[^\s@]{1,128}\.[a-zA-Z]{2,24}$/;
const phone = /^\+?[\d\s().-]{9,20}$/;

/** What names a person is refused; its hash says the same of two requests. Source: the API reference of `metadata.user_id`; BerriAI/litellm#11432. */
function fitUser(body: JsonObject, changes: Set<string>): void {
  const { metadata } = body;
  const user = isObject(metadata) ? metadata.user_id : undefined;
  if (typeof user !== 'string' || (user.length <= longestUser && !email.test(user) && !phone.test(user))) return;
  body.metadata = { ...(metadata as JsonObject), user_id: createHash('sha256').update(user).digest('hex') };
  changes.add('the identifier of the user was sent as its hash');
}

/** A schema of the answer, or of a strict tool. */
function mayHoldSchema(bytes: Buffer, { fields }: BodyBytes['scan']): boolean {
  const tools = fields.get('tools');
  return fields.has('output_format') || (fields.has('output_config') && bytes.includes('"json_schema"')) || (tools !== undefined && strictTools.some(text => bytes.subarray(tools.start, tools.end).includes(text, 0, 'latin1')));
}

/** As JSON writers write it. */
const strictTools = ['"strict":true', '"strict": true'];

/** The schema of the answer as the model's generation takes it; older ones are asked in words. */
function fitAnswerSchema(body: JsonObject, { model }: FitTarget, changes: Set<string>): void {
  if (!isClaude(model)) return;
  for (const [holder, name] of [[body.output_config, 'format'], [body, 'output_format']] as const) {
    const format = isObject(holder) ? holder[name] : undefined;
    if (!isObject(holder) || !isObject(format) || format.type !== 'json_schema' || !isObject(format.schema)) continue;
    if (!claudeModelRules(model).answerSchema) {
      const { [name]: _format, ...rest } = holder;
      if (holder === body) delete body[name];
      else if (Object.keys(rest).length === 0) delete body.output_config;
      else body.output_config = rest;
      addSystem(body, schemaWords(format.schema));
      changes.add('the JSON schema of the answer was asked for in words');
      continue;
    }
    const schema = closedSchema(format.schema);
    if (schema === format.schema) continue;
    const fit = { ...format, schema };
    if (holder === body) body[name] = fit;
    else body.output_config = { ...holder, [name]: fit };
    changes.add('the JSON schema of the answer was closed, and its bounds are in words');
  }
}

/** Adds an instruction behind the others. */
function addSystem(body: JsonObject, text: string): void {
  const { system } = body;
  body.system = Array.isArray(system) ? [...system, { type: 'text', text }] : typeof system === 'string' && system !== '' ? `${system}\n\n${text}` : text;
}

/** Thinking as the model's generation takes it. */
function fitThinking(body: JsonObject, model: string, changes: Set<string>): void {
  const rules = claudeModelRules(model);
  const { thinking } = body;
  if (isObject(thinking)) {
    const { display } = thinking;
    if (rules.thinking === 'none') leaveOut(body, ['thinking'], changes);
    else if (isForcing(body.tool_choice) && rules.forcedToolChoice && (thinking.type === 'enabled' || thinking.type === 'adaptive')) {
      // "Thinking may not be enabled when tool_choice forces tool use."
      leaveOut(body, ['thinking'], changes);
    } else if (rules.thinking === 'adaptive' && !rules.sampling && thinking.type === 'enabled') {
      body.thinking = { type: 'adaptive', ...(display === undefined ? {} : { display }) };
      if (typeof thinking.budget_tokens === 'number') setEffort(body, effortOfBudget(thinking.budget_tokens));
      changes.add('a thinking budget was sent as an effort');
    } else if (thinking.type === 'enabled' && typeof thinking.budget_tokens === 'number' && typeof body.max_tokens === 'number' && thinking.budget_tokens >= body.max_tokens) {
      // "`max_tokens` must be greater than `thinking.budget_tokens`": so it is where the limit was lowered for the model.
      const budget = Math.floor(body.max_tokens * 0.8);
      if (budget >= leastBudgetTokens) body.thinking = { ...thinking, budget_tokens: budget };
      else delete body.thinking;
      changes.add('the thinking budget was lowered under the output limit');
    } else if (rules.thinking === 'budget' && thinking.type === 'adaptive') {
      const asked = isObject(body.output_config) ? parseEffort(body.output_config.effort) : undefined;
      const room = typeof body.max_tokens === 'number' ? Math.floor(body.max_tokens * 0.8) : Infinity;
      const budget = Math.min(budgetOfEffort(asked ?? 'medium'), room);
      if (budget >= leastBudgetTokens) body.thinking = { type: 'enabled', budget_tokens: budget };
      else delete body.thinking;
      changes.add('a thinking effort was sent as a budget');
    } else if (thinking.type === 'disabled' && (rules.thinkingOff === 'least-effort' || rules.thinkingOff === 'between-tools')) {
      if (rules.thinkingOff === 'between-tools') body.thinking = { type: 'between_tools' };
      else {
        delete body.thinking;
        setEffort(body, 'low');
      }
      changes.add('thinking was turned down, because this model does not turn it off');
    }
  }
  const config = body.output_config;
  // Before 4.6 only Opus 4.5 takes an effort.
  if (isObject(config) && config.effort !== undefined && rules.thinking !== 'adaptive' && !/opus-4[-.]5/.test(model.toLowerCase())) {
    const { effort: _effort, ...rest } = config;
    if (Object.keys(rest).length > 0) body.output_config = rest;
    else delete body.output_config;
    changes.add('output_config.effort was left out');
  }
}

function isForcing(choice: JsonValue | undefined): boolean {
  return isObject(choice) && (choice.type === 'any' || choice.type === 'tool');
}

function setEffort(body: JsonObject, effort: string): void {
  const config = isObject(body.output_config) ? body.output_config : {};
  if (config.effort === undefined) body.output_config = { ...config, effort };
}

function fitMessage(message: JsonValue, noDocuments: boolean, changes: Set<string>): JsonValue {
  if (!isObject(message) || !Array.isArray(message.content)) return message;
  return { ...message, content: message.content.map(block => fitBlock(block, noDocuments, changes)) };
}

function fitBlock(block: JsonValue, noDocuments: boolean, changes: Set<string>): JsonValue {
  if (!isObject(block)) return block;
  switch (block.type) {
    case 'tool_use':
      return typeof block.id === 'string' ? { ...block, id: fitId(block.id, plainCallIds, changes) } : block;
    case 'tool_result':
      return {
        ...block,
        ...(typeof block.tool_use_id === 'string' ? { tool_use_id: fitId(block.tool_use_id, plainCallIds, changes) } : {}),
        ...(Array.isArray(block.content) ? { content: block.content.map(part => fitBlock(part, noDocuments, changes)) } : {}),
      };
    case 'document':
      return noDocuments ? documentAsText(block, changes) : block;
    case 'image': {
      const { source } = block;
      if (!isObject(source) || source.type !== 'base64' || typeof source.media_type !== 'string') return block;
      const type = imageType(source.media_type, typeof source.data === 'string' ? source.data : '');
      if (!commonImageTypes.has(type)) {
        changes.add(`an image of type ${type} was left out`);
        return { type: 'text', text: leftOut(`An image of type ${type}`).text };
      }
      if (type === source.media_type) return block;
      changes.add('the type of an image was corrected');
      return { ...block, source: { ...source, media_type: type } };
    }
    default:
      return block;
  }
}

function fitTool(tool: JsonValue): JsonValue {
  if (!isObject(tool) || tool.input_schema === undefined) return tool;
  const whole = fitToolSchema(tool.input_schema, false);
  const schema = tool.strict === true ? closedSchema(whole) : whole;
  return schema === tool.input_schema ? tool : { ...tool, input_schema: schema };
}

function isForced(bytes: Buffer, range: { start: number; end: number } | undefined): boolean {
  return range !== undefined && /"type"\s*:\s*"(?:any|tool)"/.test(bytes.toString('latin1', range.start, range.end));
}

const choiceKinds: Readonly<Record<string, 'auto' | 'none' | 'required' | 'function'>> = { auto: 'auto', none: 'none', any: 'required', tool: 'function' };

/** Whether the target takes this choice of a tool. */
function takesChoice({ type }: JsonObject, { dialect, model }: FitTarget, body: JsonObject): boolean {
  const kind = typeof type === 'string' ? choiceKinds[type] : undefined;
  if (kind !== undefined && dialect.messagesToolChoices?.includes(kind) === false) return false;
  if (kind !== 'required' && kind !== 'function') return true;
  const { thinking } = body;
  // What wants reasoning with its calls thinks unless it is told not to.
  const thinks = dialect.reasoningRequiredWithTools === true ? !thinkingIsOff(body) : isObject(thinking) && (thinking.type === 'enabled' || thinking.type === 'adaptive');
  return claudeModelRules(model).forcedToolChoice && !(!isClaude(model) && dialect.forcedChoiceWithoutThinking === true && thinks);
}

/** A model that refuses to be forced to a tool is asked in words, and one that refuses `none` gets no tools. */
function fitToolChoice(body: JsonObject, target: FitTarget, changes: Set<string>): void {
  const choice = body.tool_choice;
  if (!isObject(choice) || takesChoice(choice, target, body)) return;
  if (!isForcing(choice)) {
    delete body.tool_choice;
    if (choice.type !== 'none') return;
    delete body.tools;
    changes.add('tools were left out, because none may be called');
    return;
  }
  const { type: _type, name, ...rest } = choice;
  body.tool_choice = { type: 'auto', ...rest };
  addSystem(body, mustCallWords(typeof name === 'string' ? name : undefined));
  changes.add('the forced choice of a tool was asked for in words');
}

function calls(message: JsonObject): boolean {
  return Array.isArray(message.content) && message.content.some(block => isObject(block) && block.type === 'tool_use');
}
