import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { isClaude } from '../anthropicMessages/claudeModels.ts';
import { leftOut } from '../media.ts';
import { openAiModelKind } from '../openAiResponses/requestEncode.ts';
import { nearestEffort, parseEffort } from '../reasoningEffort.ts';
import type { BodyRules, FitTarget } from './rule.ts';
import { callIdsUpTo, idsFit, plainCallIds, type CallIdRule } from './callIdRules.ts';
import { fitId } from './fitId.ts';
import { allowedImages, fitImageUrl, imageTypeOfUrl, imageUrlsFit } from './imageTypes.ts';
import { leaveOut } from './leaveOut.ts';
import { jsonWords } from './promptWords.ts';
import { fitSampling, fitUser } from './openAiFields.ts';
import { fitted, fitTools, fitToolSchema, ToolListVerdicts } from './toolSchemas.ts';

/** The longest `call_id` of OpenAI's Responses is longer than that of Chat. */
const longestCallId = 64;
const userFields = ['user', 'safety_identifier'] as const;

/** What targets of OpenAI's Responses refuse. */
export const responsesRules: BodyRules = {
  topFields: ['temperature', 'top_p', 'reasoning', ...userFields, 'store', 'metadata', 'service_tier', 'truncation'],

  fitTop(body, { dialect, model }, changes) {
    const { reasoning } = body;
    if (dialect.efforts !== undefined && isObject(reasoning)) {
      const wanted = parseEffort(reasoning.effort);
      if (wanted !== undefined && !dialect.efforts.includes(wanted)) {
        const effort = nearestEffort(wanted, dialect.efforts);
        body.reasoning = { ...reasoning, effort };
        changes.add(`effort ${wanted} was sent as ${String(effort)}`);
      }
    }
    fitSampling(body, openAiModelKind(model) === 'reasoning' && !(isObject(reasoning) && reasoning.effort === 'none'), changes);
    fitUser(body, userFields, dialect.maxUserLength, changes);
    leaveOut(body, dialect.dropFields ?? [], changes);
  },

  mayHoldRefused({ bytes, scan }, target) {
    const { words, fields } = scan;
    if (words.has('developer') && target.dialect.developerRole !== true) return true;
    const rule = callIdRule(target);
    if (rule !== undefined && words.has('function_call_output') && !idsFit(bytes, 'call_id', rule)) return true;
    if (words.has('input_image') && !imageUrlsFit(bytes, allowedImages(target))) return true;
    if (words.has('json_object')) return true;
    const tools = fields.get('tools');
    return tools !== undefined && !toolLists.fits(bytes.subarray(tools.start, tools.end));
  },

  fitContent(body, target, changes) {
    if (Array.isArray(body.input)) body.input = body.input.map(item => fitItem(item, target, changes));
    if (Array.isArray(body.tools)) body.tools = fitted(body.tools, completedTools, changes);
    const format = isObject(body.text) ? body.text.format : undefined;
    if (isObject(format) && format.type === 'json_object' && !/json/i.test(`${JSON.stringify(body.input ?? '')}${JSON.stringify(body.instructions ?? '')}`)) {
      body.instructions = typeof body.instructions === 'string' && body.instructions !== '' ? `${body.instructions}\n\n${jsonWords}` : jsonWords;
      changes.add('an instruction to answer in JSON was added');
    }
  },
};

const completedTools = fitTools(fitTool);
const toolLists = new ToolListVerdicts(completedTools);

function callIdRule({ dialect, model }: FitTarget): CallIdRule | undefined {
  if (isClaude(model)) return plainCallIds;
  return dialect.maxCallIdLength === undefined ? undefined : callIdsUpTo(longestCallId);
}

function fitItem(item: JsonValue, target: FitTarget, changes: Set<string>): JsonValue {
  if (!isObject(item)) return item;
  const rule = callIdRule(target);
  const fit: JsonObject = { ...item };
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

function fitTool(tool: JsonValue): JsonValue {
  if (!isObject(tool)) return tool;
  if (tool.type === 'namespace' && Array.isArray(tool.tools)) {
    const tools = completedTools(tool.tools);
    return tools === tool.tools ? tool : { ...tool, tools };
  }
  if (tool.type !== 'function' || tool.parameters === undefined || tool.parameters === null) return tool;
  const parameters = fitToolSchema(tool.parameters, true);
  return parameters === tool.parameters ? tool : { ...tool, parameters };
}
