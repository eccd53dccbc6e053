import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { bareModelName } from '../../base/names.ts';
import { isClaude } from '../anthropicMessages/claudeModels.ts';
import { leftOut } from '../media.ts';
import { openAiModelKind } from '../openAiResponses/requestEncode.ts';
import { nearestEffort, parseEffort } from '../reasoningEffort.ts';
import type { BodyRules, FitTarget } from './rule.ts';
import { callIdsUpTo, idsFit, nineCharacterCallIds, plainCallIds, type CallIdRule } from './callIdRules.ts';
import { holdsBlank, holdsEmptyList, occurrences } from './fieldStrings.ts';
import { fitId } from './fitId.ts';
import { allowedImages, fitImageUrl, imageTypeOfUrl, imageUrlsFit } from './imageTypes.ts';
import { leaveOut } from './leaveOut.ts';
import { endsWithAssistant, noPrefill } from './lastTurn.ts';
import { mayHaveOtherContent, plainContent, reasoningFields, renameReasoning } from './plainContent.ts';
import { goOn } from './promptWords.ts';
import { fitFormat, fitJsonWithoutThinking, fitPlainLimit, maxTokensFields, mayAskTooMuch, mayHoldRefusedFormat } from './answers/chatAnswers.ts';
import { fileAsText, isPdf } from './turns/documentParts.ts';
import { inTurn, mayBreakTurns, wantedRoles } from './turns/rolesInTurn.ts';
import { fitToolChoice, mayHoldRefusedChoice } from './tools/toolChoice.ts';
import { fitted, fitTools, fitToolSchema, ToolListVerdicts, withoutMixedStrict } from './tools/toolSchemas.ts';
import { inOrder, mayBreakMessageRules, withKnownFields } from './chatMessages.ts';
import { mayBreakSystemRules, systemInPlace } from './systemTurns.ts';
import { acceptedEfforts, readableDocuments, refusedFields } from './modelRules.ts';
import { fitSampling, fitTemperature, fitToolFields, fitUser, lacksTools, otherSamplingFields, samplingFields } from './openAiFields.ts';
import { isStrictSchema } from './tools/strictSchemas.ts';

const userFields = ['user', 'safety_identifier'] as const;

/** What targets of OpenAI's Chat Completions refuse. */
export const chatRules: BodyRules = {
  topFields: [...maxTokensFields, 'reasoning_effort', 'seed', 'random_seed', ...userFields, ...samplingFields, ...otherSamplingFields, 'n', 'verbosity', 'store', 'service_tier', 'parallel_tool_calls', 'tool_choice', 'prompt_cache_key', 'metadata'],

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
    if (body.max_tokens !== undefined && body.max_completion_tokens !== undefined) leaveOut(body, ['max_tokens'], changes);
    if (body.tool_choice === 'any') {
      body.tool_choice = 'required';
      changes.add('tool_choice any was sent as required');
    }
    const seed = dialect.seedField ?? 'seed';
    if (seed !== 'seed' && body.seed !== undefined) {
      body[seed] ??= body.seed;
      delete body.seed;
      changes.add(`seed was sent as ${seed}`);
    }
    const wantedEffort = parseEffort(body.reasoning_effort);
    const efforts = wantedEffort === undefined ? undefined : acceptedEfforts(target);
    if (wantedEffort !== undefined && efforts?.includes(wantedEffort) === false) {
      if (efforts.length === 0) leaveOut(body, ['reasoning_effort'], changes);
      else {
        body.reasoning_effort = nearestEffort(wantedEffort, efforts);
        changes.add(`reasoning_effort ${wantedEffort} was sent as ${String(body.reasoning_effort)}`);
      }
    }
    fitTemperature(body, dialect.highestTemperature, dialect.temperatureAboveZero === true, changes);
    if (dialect.mostStops !== undefined && Array.isArray(body.stop) && body.stop.length > dialect.mostStops) {
      body.stop = body.stop.slice(0, dialect.mostStops);
      changes.add(`stop strings after number ${dialect.mostStops} were left out`);
    }
    fitSampling(body, openAiModelKind(target.model) === 'reasoning' && body.reasoning_effort !== 'none', changes);
    fitUser(body, userFields, dialect.maxUserLength, changes);
    leaveOut(body, refusedFields(target), changes);
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
    if (dialect.plainContent === true && mayHaveOtherContent(bytes, words.has('assistant'))) return true;
    if (dialect.reasoningFieldOnly === true && words.has('assistant') && holdsOtherReasoning(bytes, reasoningField(target))) return true;
    if (dialect.plainWithoutThinking !== undefined && !fields.has('enable_thinking') && dialect.plainWithoutThinking.test(bareModelName(target.model))) {
      const stream = fields.get('stream');
      if (stream === undefined || bytes.toString('latin1', stream.start, stream.end) !== 'true') return true;
    }
    if (words.has('file') && readableDocuments(target) !== undefined) return true;
    if (dialect.logprobsWithTools === false && fields.has('logprobs') && fields.has('tools')) return true;
    if (words.has('image_url') && (dialect.imageBytesOnly === true || !imageUrlsFit(bytes, allowedImages(target)) || (dialect.textResultsOnly === true && words.has('tool')))) return true;
    const messages = fields.get('messages');
    if (messages !== undefined && (mayBreakMessageRules(bytes, messages, target) || mayBreakSystemRules(bytes, messages, target) || holdsEmptyList(bytes, 'tool_calls', messages))) return true;
    if (messages !== undefined && dialect.models !== undefined && mayBreakTurns(bytes.subarray(messages.start, messages.end), wantedRoles(target))) return true;
    if (dialect.jsonArguments === true && words.has('assistant') && holdsBlank(bytes, 'arguments')) return true;
    if (dialect.mostPlainOutputTokens !== undefined && mayAskTooMuch({ bytes, scan }, dialect.mostPlainOutputTokens)) return true;
    if (mayHoldRefusedFormat({ bytes, scan }, target)) return true;
    const tools = fields.get('tools');
    if (tools !== undefined && !toolLists[toolsKind(target)].fits(bytes.subarray(tools.start, tools.end))) return true;
    if (lacksTools({ bytes, scan }) || mayHoldRefusedChoice(bytes, fields.get('tool_choice'), target)) return true;
    return words.has('assistant') && (dialect.assistantLast !== undefined || noPrefill(target.model)) && endsWithAssistant({ bytes, scan }, 'messages');
  },

  fitContent(body, target, changes) {
    if (Array.isArray(body.messages)) body.messages = systemInPlace(inOrder(fitMessages(body.messages, target, changes), target, changes), target, changes);
    if (Array.isArray(body.tools)) body.tools = fitted(body.tools, fittingTools[toolsKind(target)], changes);
    fitToolFields(body, changes);
    fitToolChoice(body, target, changes);
    const { plainWithoutThinking } = target.dialect;
    if (plainWithoutThinking !== undefined && body.stream !== true && body.enable_thinking === undefined && plainWithoutThinking.test(bareModelName(target.model))) {
      body.enable_thinking = false;
      changes.add('thinking was turned off, which this model refuses in a plain answer');
    }
    fitJsonWithoutThinking(body, target, changes);
    if (target.dialect.logprobsWithTools === false && body.stream === true && Array.isArray(body.tools) && body.tools.length > 0) leaveOut(body, ['logprobs', 'top_logprobs'], changes);
    fitFormat(body, target, changes);
    fitPlainLimit(body, target, changes);
    const roles = target.dialect.models === undefined ? undefined : wantedRoles(target);
    if (roles !== undefined && Array.isArray(body.messages)) body.messages = inTurn(body.messages, roles, changes);
    fitLast(body, target, changes);
  },
};

/** What becomes of a tool: `strict` stays, goes, goes where its schema is not strict, or goes where not all tools have it; `whole`: it gets parameters. */
type ToolsKind = 'as-written' | 'never' | 'checked' | 'same' | 'whole';

const fittingTools: Readonly<Record<ToolsKind, (tools: JsonValue[]) => JsonValue[]>> = {
  'as-written': fitTools(tool => fitTool(tool, 'as-written')), 'never': fitTools(tool => fitTool(tool, 'never')), 'checked': fitTools(tool => fitTool(tool, 'checked')),
  'same': withoutMixedStrict(fitTools(tool => fitTool(tool, 'as-written')), fitTools(tool => fitTool(tool, 'never'))), 'whole': fitTools(tool => fitTool(tool, 'whole')),
};
const toolLists: Readonly<Record<ToolsKind, ToolListVerdicts>> = {
  'as-written': new ToolListVerdicts(fittingTools['as-written']), 'never': new ToolListVerdicts(fittingTools.never), 'checked': new ToolListVerdicts(fittingTools.checked),
  'same': new ToolListVerdicts(fittingTools.same), 'whole': new ToolListVerdicts(fittingTools.whole),
};

function toolsKind({ dialect }: FitTarget): ToolsKind {
  if (dialect.toolStrict === false) return 'never';
  if (dialect.strictSchemas === true) return 'checked';
  return dialect.sameToolStrict === true ? 'same' : dialect.toolParametersRequired === true ? 'whole' : 'as-written';
}

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

function holdsOtherReasoning(bytes: Buffer, known: string): boolean {
  return reasoningFields.some(name => name !== known && bytes.includes(`"${name}"`));
}

function fitMessages(messages: readonly JsonValue[], target: FitTarget, changes: Set<string>): JsonValue[] {
  const { dialect } = target;
  const ids = callIdRule(target);
  return messages.map(message => {
    if (!isObject(message)) return message;
    const copy = { ...message };
    const renamed = dialect.reasoningFieldOnly === true ? renameReasoning(copy, reasoningField(target)) : undefined;
    if (renamed !== undefined) changes.add(`${renamed} was sent as ${reasoningField(target)}`);
    const fit = withKnownFields(copy, target, changes);
    if (Array.isArray(fit.tool_calls) && fit.tool_calls.length === 0) {
      delete fit.tool_calls;
      changes.add('an empty list of calls was left out');
    }
    if (fit.role === 'developer' && dialect.developerRole !== true) {
      fit.role = 'system';
      changes.add('the role developer was sent as system');
    }
    if (dialect.jsonArguments === true && Array.isArray(fit.tool_calls)) fit.tool_calls = fit.tool_calls.map(call => withArguments(call, changes));
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
    if (dialect.plainContent === true) {
      const plain = plainContent(fit.content);
      if (plain !== fit.content) {
        fit.content = plain;
        changes.add('content was sent as plain text');
      }
    }
    return fit;
  });
}

/** A call without arguments calls with an empty object. */
function withArguments(call: JsonValue, changes: Set<string>): JsonValue {
  if (!isObject(call) || !isObject(call.function) || typeof call.function.arguments !== 'string' || call.function.arguments.trim() !== '') return call;
  changes.add('empty arguments were sent as an empty object');
  return { ...call, function: { ...call.function, arguments: '{}' } };
}

function fitPart(part: JsonValue, target: FitTarget, changes: Set<string>): JsonValue {
  if (isObject(part) && part.type === 'file') {
    const readable = readableDocuments(target);
    return readable === undefined || (readable === 'pdf' && isPdf(part)) ? part : fileAsText(part, changes);
  }
  if (!isObject(part) || part.type !== 'image_url' || !isObject(part.image_url) || typeof part.image_url.url !== 'string') return part;
  if (target.dialect.imageBytesOnly === true && !part.image_url.url.startsWith('data:')) {
    changes.add('an image behind an address was left out');
    return { type: 'text', text: leftOut('An image behind an address').text };
  }
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

function fitTool(tool: JsonValue, kind: ToolsKind): JsonValue {
  if (!isObject(tool) || !isObject(tool.function)) return tool;
  const { function: declared } = tool;
  let fit = declared;
  if (declared.parameters !== undefined || kind === 'whole') {
    const parameters = fitToolSchema(declared.parameters, true);
    if (parameters !== declared.parameters) fit = { ...fit, parameters };
  }
  if (fit.strict !== undefined && (kind === 'never' || (kind === 'checked' && fit.strict === true && !isStrictSchema(fit.parameters)))) {
    const { strict: _strict, ...rest } = fit;
    fit = rest;
  }
  return fit === declared ? tool : { ...tool, function: fit };
}

function fitLast(body: JsonObject, { dialect, model }: FitTarget, changes: Set<string>): void {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const last = messages.at(-1);
  if (!isObject(last) || last.role !== 'assistant' || Array.isArray(last.tool_calls)) return;
  if (dialect.assistantLast === 'prefix') {
    if (last.prefix === true) return;
    body.messages = [...messages.slice(0, -1), { ...last, prefix: true }];
    changes.add('the last message was marked as a prefix');
  } else if (dialect.assistantLast === 'without-thinking') {
    const kwargs = isObject(body.chat_template_kwargs) ? body.chat_template_kwargs : {};
    if (kwargs.enable_thinking === false) return;
    body.chat_template_kwargs = { ...kwargs, enable_thinking: false };
    changes.add('thinking was turned off, because the last message of the assistant is continued');
  } else if (noPrefill(model)) {
    body.messages = [...messages, { role: 'user', content: goOn }];
    changes.add('a request to go on was added');
  }
}
