import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { isClaude } from '../anthropicMessages/claudeModels.ts';
import { leftOut } from '../media.ts';
import { openAiModelKind } from '../openAiResponses/requestEncode.ts';
import { nearestEffort, parseEffort } from '../reasoningEffort.ts';
import type { BodyRules, FitTarget } from './rule.ts';
import { callIdsUpTo, idsFit, plainCallIds, type CallIdRule } from './callIdRules.ts';
import { occurrences, stringsOfField } from './fieldStrings.ts';
import { fitId } from './fitId.ts';
import { allowedImages, fitImageUrl, imageTypeOfUrl, imageUrlsFit } from './imageTypes.ts';
import { leaveOut } from './leaveOut.ts';
import { addResponsesInstruction } from './instruction.ts';
import { mayHaveOtherItems, plainItems } from './plainItems.ts';
import { jsonWords } from './promptWords.ts';
import { acceptedEfforts, refusedFields } from './modelRules.ts';
import { fitSampling, fitTemperature, fitToolFields, fitUser, lacksTools } from './openAiFields.ts';
import { isStrictSchema, withItems } from './tools/strictSchemas.ts';
import { fitToolChoice, mayHoldRefusedChoice } from './tools/toolChoice.ts';
import { fitted, fitTools, fitToolSchema, ToolListVerdicts } from './tools/toolSchemas.ts';

/** The longest `call_id` of OpenAI's Responses is longer than that of Chat. */
const longestCallId = 64;
const userFields = ['user', 'safety_identifier'] as const;

/** What targets of OpenAI's Responses refuse. */
export const responsesRules: BodyRules = {
  topFields: ['temperature', 'top_p', 'top_logprobs', 'max_output_tokens', 'reasoning', ...userFields, 'store', 'metadata', 'service_tier', 'truncation', 'parallel_tool_calls'],

  fitTop(body, target, changes) {
    const { dialect, model } = target;
    const { reasoning } = body;
    const wanted = isObject(reasoning) ? parseEffort(reasoning.effort) : undefined;
    const efforts = wanted === undefined ? undefined : acceptedEfforts(target);
    if (isObject(reasoning) && wanted !== undefined && efforts?.includes(wanted) === false) {
      const effort = nearestEffort(wanted, efforts);
      const { effort: _effort, ...rest } = reasoning;
      if (effort === undefined && Object.keys(rest).length === 0) delete body.reasoning;
      else body.reasoning = effort === undefined ? rest : { ...rest, effort };
      changes.add(effort === undefined ? 'the effort of reasoning was left out' : `effort ${wanted} was sent as ${effort}`);
    }
    const limit = body.max_output_tokens;
    if (dialect.minOutputTokens !== undefined && typeof limit === 'number' && limit < dialect.minOutputTokens) {
      body.max_output_tokens = dialect.minOutputTokens;
      changes.add(`max_output_tokens ${limit} was sent as ${dialect.minOutputTokens}`);
    }
    fitTemperature(body, dialect.highestTemperature, dialect.temperatureAboveZero === true, changes);
    fitSampling(body, openAiModelKind(model) === 'reasoning' && !(isObject(body.reasoning) && body.reasoning.effort === 'none'), changes);
    fitUser(body, userFields, dialect.maxUserLength, changes);
    leaveOut(body, refusedFields(target), changes);
  },

  mayHoldRefused({ bytes, scan }, target) {
    const { words, fields } = scan;
    if (words.has('developer') && target.dialect.developerRole !== true) return true;
    if (target.dialect.plainItems === true && mayHaveOtherItems(bytes, fields.get('input'))) return true;
    if (mayHoldRefusedChoice(bytes, fields.get('tool_choice'), target)) return true;
    const rule = callIdRule(target);
    if (rule !== undefined && words.has('function_call_output') && !idsFit(bytes, 'call_id', rule)) return true;
    if (words.has('input_image') && !imageUrlsFit(bytes, allowedImages(target))) return true;
    if (words.has('json_object') || lacksTools({ bytes, scan })) return true;
    if (target.dialect.strictSchemas === true) {
      if (words.has('assistant') || words.has('function_call_output')) {
        const input = fields.get('input');
        if (input !== undefined && !itemIdsFit(bytes.subarray(input.start, input.end))) return true;
      }
      if (fields.has('text') && bytes.includes('"json_schema"')) return true;
    }
    if (target.dialect.textFormatNeeded === true && fields.has('text')) return true;
    const tools = fields.get('tools');
    return tools !== undefined && !toolLists[toolsKind(target)].fits(bytes.subarray(tools.start, tools.end));
  },

  fitContent(body, target, changes) {
    if (Array.isArray(body.input)) {
      const items = body.input.map(item => fitItem(item, target, changes));
      body.input = target.dialect.plainItems === true ? plainItems(items, changes) : items;
    }
    if (Array.isArray(body.tools)) body.tools = fitted(body.tools, fittingTools[toolsKind(target)], changes);
    fitToolFields(body, changes);
    fitToolChoice(body, target, changes, addResponsesInstruction);
    fitSchema(body, target, changes);
    if (target.dialect.textFormatNeeded === true && isObject(body.text) && (body.text.format === undefined || body.text.format === null)) {
      body.text = { ...body.text, format: { type: 'text' } };
      changes.add('text.format was added');
    }
    const format = isObject(body.text) ? body.text.format : undefined;
    if (isObject(format) && format.type === 'json_object' && !/json/i.test(`${JSON.stringify(body.input ?? '')}${JSON.stringify(body.instructions ?? '')}`)) {
      addResponsesInstruction(body, jsonWords);
      changes.add('an instruction to answer in JSON was added');
    }
  },
};

type ToolsKind = 'as-written' | 'checked';

const fittingTools: Readonly<Record<ToolsKind, (tools: JsonValue[]) => JsonValue[]>> = { 'as-written': fitTools(tool => fitTool(tool, 'as-written')), 'checked': fitTools(tool => fitTool(tool, 'checked')) };
const toolLists = { 'as-written': new ToolListVerdicts(fittingTools['as-written']), 'checked': new ToolListVerdicts(fittingTools.checked) };

function toolsKind({ dialect }: FitTarget): ToolsKind {
  return dialect.strictSchemas === true ? 'checked' : 'as-written';
}

/** How ids of items begin at OpenAI, by type. Sources: its error texts in Wei-Shaw/sub2api#3785 and #3981, openai/codex#33176, November 2026. */
const idPrefixes: Readonly<Record<string, string>> = { message: 'msg', function_call: 'fc', reasoning: 'rs', custom_tool_call: 'ctc' };
const idShape = /^[a-zA-Z0-9_-]{1,64}$/;

/** Whether all ids of items begin as those of some type, and none more often than there are items of that type. */
function itemIdsFit(bytes: Buffer): boolean {
  let reasoning = 0;
  let calls = 0;
  const shaped = stringsOfField(bytes, 'id', id => {
    if (id.startsWith('rs')) reasoning += 1;
    else if (id.startsWith('fc')) calls += 1;
    return idShape.test(id) && Object.values(idPrefixes).some(prefix => id.startsWith(prefix));
  });
  return shaped && (reasoning === 0 || reasoning <= occurrences(bytes, '"reasoning"')) && (calls === 0 || calls <= occurrences(bytes, '"function_call"'));
}

/** An item without an id that OpenAI refuses: nothing is stored under it. */
function withoutForeignId(item: JsonObject, { dialect }: FitTarget, changes: Set<string>): JsonObject {
  const { id, ...rest } = item;
  const prefix = idPrefixes[typeof item.type === 'string' ? item.type : 'message'];
  if (typeof id !== 'string' || prefix === undefined || dialect.strictSchemas !== true || (idShape.test(id) && id.startsWith(prefix))) return item;
  changes.add('ids of items were left out');
  return rest;
}

function fitSchema(body: JsonObject, { dialect }: FitTarget, changes: Set<string>): void {
  const text = body.text;
  if (!isObject(text) || !isObject(text.format) || text.format.type !== 'json_schema' || dialect.strictSchemas !== true) return;
  const { format } = text;
  const schema = isObject(format.schema) ? withItems(format.schema) : format.schema;
  const loose = format.strict === true && !isStrictSchema(schema);
  if (!loose && schema === format.schema) return;
  body.text = { ...text, format: { ...format, schema, ...(loose ? { strict: false } : {}) } };
  changes.add(loose ? 'the JSON schema of the answer was sent as not strict' : 'the JSON schema of the answer was completed');
}

function callIdRule({ dialect, model }: FitTarget): CallIdRule | undefined {
  if (isClaude(model)) return plainCallIds;
  return dialect.maxCallIdLength === undefined ? undefined : callIdsUpTo(longestCallId);
}

function fitItem(item: JsonValue, target: FitTarget, changes: Set<string>): JsonValue {
  if (!isObject(item)) return item;
  const rule = callIdRule(target);
  const fit: JsonObject = { ...withoutForeignId(item, target, changes) };
  if (fit.role === 'developer' && target.dialect.developerRole !== true) {
    fit.role = 'system';
    changes.add('the role developer was sent as system');
  }
  if (rule !== undefined && typeof fit.call_id === 'string') fit.call_id = fitId(fit.call_id, rule, changes);
  for (const field of ['content', 'output'] as const) {
    const parts = fit[field];
    if (Array.isArray(parts)) fit[field] = parts.map(part => fitPart(part, target, changes));
  }
  return fit;
}

function fitPart(part: JsonValue, target: FitTarget, changes: Set<string>): JsonValue {
  if (!isObject(part) || part.type !== 'input_image' || typeof part.image_url !== 'string') return part;
  const url = fitImageUrl(part.image_url);
  const type = imageTypeOfUrl(url);
  if (type !== undefined && allowedImages(target)?.has(type) === false) {
    changes.add(`an image of type ${type} was left out`);
    return { type: 'input_text', text: leftOut(`An image of type ${type}`).text };
  }
  if (url === part.image_url) return part;
  changes.add('the type of an image was corrected');
  return { ...part, image_url: url };
}

function fitTool(tool: JsonValue, kind: ToolsKind): JsonValue {
  if (!isObject(tool)) return tool;
  if (tool.type === 'namespace' && Array.isArray(tool.tools)) {
    const tools = fittingTools[kind](tool.tools);
    return tools === tool.tools ? tool : { ...tool, tools };
  }
  if (tool.type !== 'function' || tool.parameters === undefined || tool.parameters === null) return tool;
  const parameters = fitToolSchema(tool.parameters, true);
  const loose = kind === 'checked' && tool.strict === true && !isStrictSchema(parameters);
  return parameters === tool.parameters && !loose ? tool : { ...tool, parameters, ...(loose ? { strict: false } : {}) };
}
