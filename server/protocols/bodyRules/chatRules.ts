import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { isClaude } from '../anthropicMessages/claudeModels.ts';
import { leftOut } from '../media.ts';
import { openAiModelKind } from '../openAiResponses/requestEncode.ts';
import { nearestEffort, parseEffort } from '../reasoningEffort.ts';
import type { BodyRules, FitTarget } from './rule.ts';
import { callIdsUpTo, idsFit, nineCharacterCallIds, plainCallIds, type CallIdRule } from './callIdRules.ts';
import { fitId } from './fitId.ts';
import { allowedImages, fitImageUrl, imageTypeOfUrl, imageUrlsFit } from './imageTypes.ts';
import { leaveOut } from './leaveOut.ts';
import { endsWithAssistant, noPrefill } from './lastTurn.ts';
import { goOn, jsonWords, schemaWords } from './promptWords.ts';
import { fitted, fitTools, fitToolSchema, ToolListVerdicts } from './toolSchemas.ts';
import { fitSampling, fitUser, samplingFields } from './openAiFields.ts';

const userFields = ['user', 'safety_identifier'] as const;
const maxTokensFields = ['max_tokens', 'max_completion_tokens'] as const;

/** What targets of OpenAI's Chat Completions refuse. */
export const chatRules: BodyRules = {
  topFields: [...maxTokensFields, 'reasoning_effort', 'seed', 'random_seed', ...userFields, ...samplingFields, 'logprobs', 'top_logprobs', 'n', 'verbosity', 'store', 'service_tier', 'parallel_tool_calls', 'prompt_cache_key', 'metadata'],

  fitTop(body, target, changes) {
    const { dialect } = target;
    const wanted = maxTokensField(target);
    for (const name of maxTokensFields) {
      if (wanted !== undefined && name !== wanted && body[name] !== undefined) {
        body[wanted] ??= body[name];
        delete body[name];
        changes.add(`${name} was sent as ${wanted}`);
      }
    }
    const seed = dialect.seedField ?? 'seed';
    if (seed !== 'seed' && body.seed !== undefined) {
      body[seed] ??= body.seed;
      delete body.seed;
      changes.add(`seed was sent as ${seed}`);
    }
    const wantedEffort = dialect.efforts === undefined ? undefined : parseEffort(body.reasoning_effort);
    if (wantedEffort !== undefined && dialect.efforts?.includes(wantedEffort) === false) {
      body.reasoning_effort = nearestEffort(wantedEffort, dialect.efforts);
      changes.add(`reasoning_effort ${wantedEffort} was sent as ${String(body.reasoning_effort)}`);
    }
    fitSampling(body, openAiModelKind(target.model) === 'reasoning' && body.reasoning_effort !== 'none', changes);
    fitUser(body, userFields, dialect.maxUserLength, changes);
    leaveOut(body, dialect.dropFields ?? [], changes);
  },

  mayHoldRefused({ bytes, scan }, target) {
    const { dialect } = target;
    const { words, fields } = scan;
    if (words.has('developer') && dialect.developerRole !== true) return true;
    if (words.has('tool')) {
      if (dialect.reasoningRequiredWithTools === true && occurrences(bytes, `"${reasoningField(target)}"`) < occurrences(bytes, '"assistant"')) return true;
      const rule = callIdRule(target);
      if (rule !== undefined && !idsFit(bytes, 'tool_call_id', rule)) return true;
    }
    if (words.has('image_url') && !imageUrlsFit(bytes, allowedImages(target))) return true;
    const format = fields.get('response_format');
    if (format !== undefined && /json_(?:schema|object)/.test(bytes.toString('latin1', format.start, Math.min(format.end, format.start + 64 * 1024)))) {
      if (dialect.jsonSchemaOutput === false || words.has('json_object')) return true;
    }
    const tools = fields.get('tools');
    if (tools !== undefined && !(dialect.toolStrict === false ? strictlessLists : completedLists).fits(bytes.subarray(tools.start, tools.end))) return true;
    return words.has('assistant') && (dialect.assistantLast !== undefined || noPrefill(target.model)) && endsWithAssistant({ bytes, scan }, 'messages');
  },

  fitContent(body, target, changes) {
    if (Array.isArray(body.messages)) body.messages = fitMessages(body.messages, target, changes);
    if (Array.isArray(body.tools)) body.tools = fitted(body.tools, target.dialect.toolStrict === false ? strictlessTools : completedTools, changes);
    fitFormat(body, target, changes);
    fitLast(body, target, changes);
  },
};

const completedTools = fitTools(tool => fitTool(tool, false));
const strictlessTools = fitTools(tool => fitTool(tool, true));
const completedLists = new ToolListVerdicts(completedTools);
const strictlessLists = new ToolListVerdicts(strictlessTools);

function maxTokensField({ dialect, model }: FitTarget): 'max_tokens' | 'max_completion_tokens' | undefined {
  // A server whose name for it is not known gets the field as the caller wrote it, except where the model decides.
  if (dialect.maxTokensField !== undefined) return dialect.maxTokensFieldOnly === true ? dialect.maxTokensField : undefined;
  return openAiModelKind(model) === 'reasoning' ? 'max_completion_tokens' : undefined;
}

function callIdRule({ dialect, model }: FitTarget): CallIdRule | undefined {
  if (dialect.shortCallIds === true) return nineCharacterCallIds;
  if (isClaude(model)) return plainCallIds;
  return dialect.maxCallIdLength === undefined ? undefined : callIdsUpTo(dialect.maxCallIdLength);
}

function reasoningField({ dialect }: FitTarget): string {
  return dialect.reasoningField ?? 'reasoning_content';
}

function occurrences(bytes: Buffer, text: string): number {
  let count = 0;
  for (let at = bytes.indexOf(text, 0, 'latin1'); at !== -1; at = bytes.indexOf(text, at + text.length, 'latin1')) count += 1;
  return count;
}

function fitMessages(messages: readonly JsonValue[], target: FitTarget, changes: Set<string>): JsonValue[] {
  const { dialect } = target;
  const ids = callIdRule(target);
  return messages.map(message => {
    if (!isObject(message)) return message;
    const fit = { ...message };
    if (fit.role === 'developer' && dialect.developerRole !== true) {
      fit.role = 'system';
      changes.add('the role developer was sent as system');
    }
    if (ids !== undefined) {
      if (typeof fit.tool_call_id === 'string') fit.tool_call_id = fitId(fit.tool_call_id, ids, changes);
      if (Array.isArray(fit.tool_calls)) {
        fit.tool_calls = fit.tool_calls.map(call => (isObject(call) && typeof call.id === 'string' ? { ...call, id: fitId(call.id, ids, changes) } : call));
      }
    }
    if (dialect.reasoningRequiredWithTools === true && fit.role === 'assistant' && Array.isArray(fit.tool_calls) && fit.tool_calls.length > 0) {
      const field = reasoningField(target);
      if (typeof fit[field] !== 'string') {
        fit[field] = typeof fit.reasoning === 'string' ? fit.reasoning : '';
        changes.add('empty reasoning was added to calls of tools');
      }
    }
    if (Array.isArray(fit.content)) fit.content = fit.content.map(part => fitPart(part, target, changes));
    return fit;
  });
}

function fitPart(part: JsonValue, target: FitTarget, changes: Set<string>): JsonValue {
  if (!isObject(part) || part.type !== 'image_url' || !isObject(part.image_url) || typeof part.image_url.url !== 'string') return part;
  const url = fitImageUrl(part.image_url.url);
  const type = imageTypeOfUrl(url);
  if (type !== undefined && allowedImages(target)?.has(type) === false) {
    changes.add(`an image of type ${type} was left out`);
    return { type: 'text', text: leftOut(`An image of type ${type}`).text };
  }
  if (url === part.image_url.url) return part;
  changes.add('the type of an image was corrected');
  return { ...part, image_url: { ...part.image_url, url } };
}

function fitTool(tool: JsonValue, strictless: boolean): JsonValue {
  if (!isObject(tool) || !isObject(tool.function)) return tool;
  const { function: declared } = tool;
  let fit = declared;
  if (declared.parameters !== undefined) {
    const parameters = fitToolSchema(declared.parameters, true);
    if (parameters !== declared.parameters) fit = { ...fit, parameters };
  }
  if (strictless && fit.strict !== undefined) {
    const { strict: _strict, ...rest } = fit;
    fit = rest;
  }
  return fit === declared ? tool : { ...tool, function: fit };
}

function fitFormat(body: JsonObject, { dialect }: FitTarget, changes: Set<string>): void {
  const format = body.response_format;
  if (!isObject(format)) return;
  if (format.type === 'json_schema' && dialect.jsonSchemaOutput === false) {
    const schema = isObject(format.json_schema) ? format.json_schema.schema : undefined;
    body.response_format = { type: 'json_object' };
    addInstruction(body, schemaWords(schema));
    changes.add('the JSON schema of the answer was asked for in words');
  } else if (format.type === 'json_object' && !/json/i.test(JSON.stringify(body.messages ?? ''))) {
    // Providers of JSON mode refuse a prompt that does not speak of JSON.
    addInstruction(body, jsonWords);
    changes.add('an instruction to answer in JSON was added');
  }
}

/** Adds an instruction to the system message at the beginning, or makes one. */
export function addInstruction(body: JsonObject, text: string): void {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const [first, ...rest] = messages;
  if (isObject(first) && (first.role === 'system' || first.role === 'developer')) {
    const content = Array.isArray(first.content) ? [...first.content, { type: 'text', text }] : `${typeof first.content === 'string' && first.content !== '' ? `${first.content}\n\n` : ''}${text}`;
    body.messages = [{ ...first, content }, ...rest];
  } else body.messages = [{ role: 'system', content: text }, ...messages];
}

function fitLast(body: JsonObject, { dialect, model }: FitTarget, changes: Set<string>): void {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const last = messages.at(-1);
  if (!isObject(last) || last.role !== 'assistant' || Array.isArray(last.tool_calls)) return;
  if (dialect.assistantLast === 'prefix') {
    if (last.prefix === true) return;
    body.messages = [...messages.slice(0, -1), { ...last, prefix: true }];
    changes.add('the last message was marked as a prefix');
  } else if (noPrefill(model)) {
    body.messages = [...messages, { role: 'user', content: goOn }];
    changes.add('a request to go on was added');
  }
}
