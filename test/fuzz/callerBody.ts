import { parseExact } from '../../server/base/exactJson.ts';
import type { JsonObject, JsonValue } from '../../server/base/json.ts';
import type { FuzzCaller, Meant, MeantDocument, MeantImage, MeantTurn } from './meant.ts';

/** The body of a request as a client of the caller's protocol writes it: not by the codec of that protocol. @param model as it is asked for */
export function callerBody(meant: Meant, model: string): JsonObject {
  return compact(writers[meant.caller](meant, model));
}

const writers: Readonly<Record<FuzzCaller, (meant: Meant, model: string) => JsonObject>> = {
  'openai-chat': chatBody, 'openai-responses': responsesBody, 'anthropic-messages': messagesBody, 'gemini': geminiBody, 'editor': editorBody,
};

function compact(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** JSON text whose numbers are written again as they stand. */
function exact(text: string): JsonValue {
  return parseExact(text) ?? null;
}

/** What another provider signed or encrypted. */
const foreign = Buffer.from('sandbox:another-provider:reasoning'.repeat(2)).toString('base64');

const url = ({ label, data }: MeantImage | MeantDocument): string => `data:${label};base64,${data}`;

function chatBody(meant: Meant, model: string): JsonObject {
  const { habits, format, choice } = meant;
  const instruction = habits.has('developer') ? 'developer' : 'system';
  const echo = (message: JsonObject): JsonObject => (habits.has('echo') ? { ...message, refusal: null, annotations: [], audio: null, function_call: null } : message);
  const turn = (one: MeantTurn): JsonObject[] => {
    switch (one.role) {
      case 'system': return [{ role: instruction, content: one.text }];
      case 'user': return [{ role: 'user', ...(habits.has('name') ? { name: 'Ada' } : {}), content: one.images.length + one.documents.length === 0 ? one.text : [{ type: 'text', text: one.text }, ...one.images.map((image): JsonObject => ({ type: 'image_url', image_url: { url: url(image) } })), ...one.documents.map((document): JsonObject => ({ type: 'file', file: { filename: document.name, file_data: url(document) } }))] }];
      case 'results': return one.results.map((result): JsonObject => ({ role: 'tool', tool_call_id: result.id, content: result.image !== undefined && habits.has('result-pictures') ? [{ type: 'text', text: result.text }, { type: 'image_url', image_url: { url: url(result.image) } }] : result.text }));
      case 'assistant': return [echo(compact({
        role: 'assistant', content: one.text === '' && one.calls.length > 0 ? null : one.text,
        tool_calls: one.calls.length === 0 ? (habits.has('empty-tools') ? [] : undefined) : one.calls.map((call): JsonObject => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.args } })),
        reasoning_content: one.reasoning,
      }))];
    }
  };
  return {
    model, stream: meant.stream ? true : undefined,
    messages: [...meant.system.map((text): JsonObject => ({ role: instruction, content: text })), ...meant.turns.flatMap(turn)],
    tools: meant.tools.length === 0 ? (habits.has('empty-tools') ? [] : undefined) : meant.tools.map((tool): JsonObject => ({ type: 'function', function: compact({ name: tool.name, description: tool.description, parameters: exact(tool.schema), strict: tool.strict }) })),
    tool_choice: typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice === 'required' && habits.has('any') ? 'any' : choice,
    parallel_tool_calls: meant.oneCallOnly === true ? false : undefined,
    [habits.has('old-limit') ? 'max_tokens' : 'max_completion_tokens']: meant.maxTokens, ...(habits.has('both-limits') ? { max_tokens: meant.maxTokens, max_completion_tokens: meant.maxTokens } : {}),
    temperature: meant.temperature, top_p: meant.topP, stop: meant.stop, seed: meant.seed, frequency_penalty: meant.frequencyPenalty, presence_penalty: meant.presencePenalty,
    response_format: format === undefined ? undefined : format.type === 'json' ? { type: 'json_object' } : { type: 'json_schema', json_schema: compact({ name: 'answer', schema: exact(format.schema), strict: format.strict }) },
    reasoning_effort: meant.effort, user: meant.user, verbosity: meant.verbosity, service_tier: meant.tier,
    logprobs: meant.logprobs === undefined ? undefined : true, top_logprobs: meant.logprobs,
    logit_bias: habits.has('logit-bias') ? { 50256: -100 } : undefined, metadata: habits.has('metadata') ? { run: '1' } : undefined,
  };
}

function responsesBody(meant: Meant, model: string): JsonObject {
  const { habits, format, choice } = meant;
  let number = 0;
  const id = (prefix: string): JsonObject => (habits.has('item-ids') ? { id: `${prefix}_${number += 1}`, status: 'completed' } : habits.has('foreign-item-ids') ? { id: `item_${number += 1}` } : {});
  const turn = (one: MeantTurn): JsonObject[] => {
    switch (one.role) {
      case 'system': return [{ type: 'message', role: habits.has('developer') ? 'developer' : 'system', content: [{ type: 'input_text', text: one.text }] }];
      case 'user': return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: one.text }, ...one.images.map((image): JsonObject => ({ type: 'input_image', image_url: url(image), detail: 'auto' })), ...one.documents.map((document): JsonObject => ({ type: 'input_file', filename: document.name, file_data: url(document) }))] }];
      case 'results': return one.results.map((result): JsonObject => ({ type: 'function_call_output', call_id: result.id, output: result.text }));
      case 'assistant': return [
        ...(one.signed === undefined ? [] : [{ type: 'reasoning', id: `rs_${number += 1}`, summary: one.signed === 'shown' ? [{ type: 'summary_text', text: 'Hm.' }] : [], encrypted_content: foreign }]),
        ...(one.text === '' ? [] : [{ type: 'message', role: 'assistant', ...id('msg'), content: [{ type: 'output_text', text: one.text, annotations: [] }] }]),
        ...one.calls.map((call): JsonObject => ({ type: 'function_call', ...id('fc'), call_id: call.id, name: call.name, arguments: call.args })),
      ];
    }
  };
  const text = compact({ format: format === undefined ? undefined : format.type === 'json' ? { type: 'json_object' } : compact({ type: 'json_schema', name: 'answer', schema: exact(format.schema), strict: format.strict }), verbosity: meant.verbosity });
  return {
    model, stream: meant.stream ? true : undefined,
    instructions: meant.system.length === 0 ? undefined : meant.system.join('\n\n'),
    input: meant.turns.flatMap(turn),
    tools: meant.tools.length === 0 ? (habits.has('empty-tools') ? [] : undefined) : meant.tools.map((tool): JsonObject => compact({ type: 'function', name: tool.name, description: tool.description, parameters: exact(tool.schema), strict: tool.strict })),
    tool_choice: typeof choice === 'object' ? { type: 'function', name: choice.name } : choice,
    parallel_tool_calls: meant.oneCallOnly === true ? false : undefined,
    max_output_tokens: meant.maxTokens, temperature: meant.temperature, top_p: meant.topP,
    text: Object.keys(text).length === 0 ? undefined : text,
    reasoning: meant.effort === undefined ? undefined : { effort: meant.effort }, safety_identifier: meant.user, service_tier: meant.tier, store: false,
    metadata: habits.has('metadata') ? { run: '1' } : undefined,
  };
}

function messagesBody(meant: Meant, model: string): JsonObject {
  const { choice, habits } = meant;
  const turn = (one: MeantTurn): JsonObject => {
    switch (one.role) {
      case 'system': return { role: 'system', content: one.text };
      case 'user': return { role: 'user', content: one.images.length + one.documents.length === 0 && !habits.has('blank') ? one.text : [{ type: 'text', text: one.text }, ...one.documents.map((document): JsonObject => ({ type: 'document', title: document.name, source: document.label === 'application/pdf' ? { type: 'base64', media_type: document.label, data: document.data } : { type: 'text', media_type: 'text/plain', data: Buffer.from(document.data, 'base64').toString('utf8') } })), ...(habits.has('blank') ? [{ type: 'text', text: ' ' }, { type: 'text', text: '' }] : []), ...one.images.map((image): JsonObject => ({ type: 'image', source: { type: 'base64', media_type: image.label, data: image.data } }))] };
      case 'results': return { role: 'user', content: one.results.map((result): JsonObject => compact({ type: 'tool_result', tool_use_id: result.id, content: result.image === undefined ? result.text : [{ type: 'text', text: result.text }, { type: 'image', source: { type: 'base64', media_type: result.image.label, data: result.image.data } }], is_error: result.failed ? true : undefined })) };
      case 'assistant': return { role: 'assistant', content: [...(one.signed === undefined || (one.text === '' && one.calls.length === 0) ? [] : [one.signed === 'shown' ? { type: 'thinking', thinking: 'Hm.', signature: foreign } : { type: 'redacted_thinking', data: foreign }]), ...(one.text === '' ? [] : [{ type: 'text', text: one.text }]), ...one.calls.map((call): JsonObject => ({ type: 'tool_use', id: call.id, name: call.name, input: exact(call.args) }))] };
    }
  };
  const budget = habits.has('budget') && (meant.maxTokens ?? 0) > 3000;
  const config = compact({ effort: budget ? undefined : meant.effort, format: meant.format?.type === 'schema' ? { type: 'json_schema', schema: exact(meant.format.schema) } : undefined });
  return {
    model, stream: meant.stream ? true : undefined, max_tokens: meant.maxTokens,
    system: meant.system.length === 0 ? undefined : meant.system.map((text): JsonObject => ({ type: 'text', text })),
    messages: meant.turns.map(turn).filter(message => message.content !== '' && !(Array.isArray(message.content) && message.content.length === 0)),
    tools: meant.tools.length === 0 ? undefined : meant.tools.map((tool): JsonObject => compact({ name: tool.name, description: tool.description, input_schema: exact(tool.schema), strict: tool.strict })),
    tool_choice: choice === undefined ? (meant.oneCallOnly === true ? { type: 'auto', disable_parallel_tool_use: true } : undefined)
      : compact({ ...(typeof choice === 'object' ? { type: 'tool', name: choice.name } : { type: choice === 'required' ? 'any' : choice }), disable_parallel_tool_use: meant.oneCallOnly === true && choice !== 'none' ? true : undefined }),
    temperature: meant.temperature, top_p: meant.topP, top_k: meant.topK, stop_sequences: meant.stop,
    thinking: budget ? { type: 'enabled', budget_tokens: 2000 } : undefined,
    output_config: Object.keys(config).length === 0 ? undefined : config, metadata: meant.user === undefined ? undefined : { user_id: meant.user },
  };
}

function geminiBody(meant: Meant): JsonObject {
  const { choice, format, habits } = meant;
  const turn = (one: MeantTurn): JsonObject => {
    switch (one.role) {
      case 'system': throw new Error('Gemini callers have no later instructions here');
      case 'user': return { role: 'user', parts: [{ text: one.text }, ...one.images.map((image): JsonObject => ({ inlineData: { mimeType: image.label, data: image.data } })), ...one.documents.map((document): JsonObject => ({ inlineData: { mimeType: document.label, data: document.data } }))] };
      case 'results': return { role: 'user', parts: one.results.map((result): JsonObject => ({ functionResponse: { id: result.id, name: result.name, response: result.failed ? { error: result.text } : { output: result.text } } })) };
      case 'assistant': return { role: 'model', parts: [...(one.text === '' && one.calls.length > 0 ? [] : [{ text: one.text }]), ...one.calls.map((call, index): JsonObject => ({ functionCall: { id: call.id, name: call.name, args: exact(call.args) }, ...(one.signed !== undefined && index === 0 ? { thoughtSignature: foreign } : {}) }))] };
    }
  };
  const config = compact({
    maxOutputTokens: meant.maxTokens, temperature: meant.temperature, topP: meant.topP, topK: meant.topK, stopSequences: meant.stop, seed: meant.seed,
    frequencyPenalty: meant.frequencyPenalty, presencePenalty: meant.presencePenalty,
    responseMimeType: format === undefined ? undefined : 'application/json', responseJsonSchema: format?.type === 'schema' ? exact(format.schema) : undefined,
    thinkingConfig: habits.has('budget') ? { thinkingBudget: 2000 } : meant.effort === undefined ? undefined : { thinkingLevel: meant.effort.toUpperCase() },
  });
  return {
    systemInstruction: meant.system.length === 0 ? undefined : { parts: meant.system.map((text): JsonObject => ({ text })) },
    contents: meant.turns.map(turn),
    tools: meant.tools.length === 0 ? undefined : [{ functionDeclarations: meant.tools.map((tool): JsonObject => ({ name: tool.name, description: tool.description, parametersJsonSchema: exact(tool.schema) })) }],
    toolConfig: choice === undefined ? undefined : { functionCallingConfig: typeof choice === 'object' ? { mode: 'ANY', allowedFunctionNames: [choice.name] } : { mode: { auto: 'AUTO', none: 'NONE', required: 'ANY' }[choice] } },
    generationConfig: Object.keys(config).length === 0 ? undefined : config,
  };
}

/** A conversation as the editor hands it to the server. */
function editorBody(meant: Meant): JsonObject {
  const { choice } = meant;
  const turn = (one: MeantTurn): JsonObject => {
    switch (one.role) {
      case 'system': throw new Error('the editor has no later instructions here');
      case 'user': return { role: 'user', content: [
        { type: 'text', text: one.text }, ...one.images.map((image): JsonObject => ({ type: 'image', mimeType: image.label, source: { kind: 'base64', data: image.data } })),
        ...one.documents.map((document): JsonObject => ({ type: 'document', mimeType: document.label, filename: document.name, source: { kind: 'base64', data: document.data } })),
      ] };
      case 'results': return { role: 'user', content: one.results.map((result): JsonObject => compact({ type: 'tool-result', callId: result.id, name: result.name, content: [{ type: 'text', text: result.text }], isError: result.failed ? true : undefined })) };
      case 'assistant': return { role: 'assistant', content: [
        ...(one.signed === undefined ? [] : [{ type: 'thinking', text: one.signed === 'shown' ? 'Hm.' : '', ...(one.signed === 'shown' ? { signature: foreign } : { redacted: foreign }), origin: 'another/claude-x' }]),
        ...(one.text === '' ? [] : [{ type: 'text', text: one.text }]), ...one.calls.map((call): JsonObject => ({ type: 'tool-call', id: call.id, name: call.name, arguments: call.args })),
      ] };
    }
  };
  return {
    system: meant.system.map((text): JsonObject => ({ type: 'text', text })), messages: meant.turns.map(turn),
    tools: meant.tools.map((tool): JsonObject => ({ name: tool.name, description: tool.description, parameters: JSON.parse(tool.schema) as JsonObject })),
    toolChoice: choice === undefined ? undefined : typeof choice === 'object' ? { type: 'tool', name: choice.name } : { type: choice },
    maxOutputTokens: meant.maxTokens, temperature: meant.temperature, reasoning: meant.effort === undefined ? undefined : { effort: meant.effort },
  };
}
