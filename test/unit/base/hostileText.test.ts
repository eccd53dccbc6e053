import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applySettings, maskText } from '../../../client/connect/settingsEdit.ts';
import type { FormatName } from '../../../client/connect/formats.ts';
import { cleanKey, keyProblem, keyWarning, orderedModels, suggestedName } from '../../../client/commands/addProviderSteps.ts';
import { markdownCell } from '../../../client/base/format.ts';
import { shownModels, wantedName } from '../../../client/chat/offeredModels.ts';
import { readDuration } from '../../../client/base/drillWording.ts';
import { parseKeyList } from '../../../client/keys/keyList.ts';
import { baseUrlProblem, nameProblem } from '../../../client/settings/settingsEdits.ts';
import { escapeMarkdown } from '../../../client/base/outcomeWording.ts';
import { csvText } from '../../../server/api/reports/csv.ts';
import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import { parseJson, type JsonObject } from '../../../server/base/json.ts';
import { scanObject } from '../../../server/base/objectScan.ts';
import { readRateHeaders } from '../../../server/base/headers/rateHeaders.ts';
import { momentInWordsMs, parseRetryAfter, waitInWordsMs } from '../../../server/base/headers/retryAfter.ts';
import { canonicalModelName, listedNames, snapshotName, spelledSnapshot, upstreamModelName } from '../../../server/catalog/modelNames.ts';
import { providerOffers } from '../../../server/catalog/offers.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { billDay, csvBill, modelOfLineItem } from '../../../server/pricing/bills/csvBill.ts';
import { exactUsd } from '../../../server/pricing/bills/usd.ts';
import { checkBaseUrl } from '../../../server/config/baseUrl.ts';
import { expandVariables } from '../../../server/config/environment.ts';
import { suggestion } from '../../../server/config/nearest.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { passedHeaders } from '../../../server/exchange/answer/answerHeaders.ts';
import { callerOf } from '../../../server/inbound/http/request/callerOf.ts';
import { readRequestFacts } from '../../../server/inbound/http/request/requirements.ts';
import { plainPath, sentPath } from '../../../server/inbound/http/request/requestPath.ts';
import { routeTable } from '../../../server/inbound/http/routes/table.ts';
import { failureWords } from '../../../server/health/wording.ts';
import type { ProtocolCodec } from '../../../server/protocols/codec.ts';
import { readErrorText } from '../../../server/protocols/errorBody.ts';
import { refusedParts } from '../../../server/protocols/repairs/refusedParts.ts';
import { GrowingJson } from '../../../server/protocols/growingJson.ts';
import { sourceFromUrl } from '../../../server/protocols/media.ts';
import { codecFor } from '../../../server/protocols/registry.ts';
import { createSseReader } from '../../../server/protocols/sseReader.ts';
import { withStopStrings } from '../../../server/protocols/stopStrings.ts';
import { resolveName } from '../../../server/routing/resolveName.ts';
import { unknownNameMessage } from '../../../server/routing/unknownName.ts';
import { composeAnswer } from '../../../server/sandbox/composeAnswer.ts';
import { ModelDirectory } from '../../../server/models/modelDirectory.ts';
import { parseModelDetails, parseModelList } from '../../../server/models/modelList.ts';
import { networkFailure } from '../../../server/upstream/failures/networkFailure.ts';
import { responseFailure } from '../../../server/upstream/failures/responseFailure.ts';
import { FakeRoutingView } from '../routing/routingFixture.ts';
import { leastMs } from '../support/growth.ts';

/** What hostile texts are made of: one kind of character, or a beginning that never ends, over and over. */
const units = [
  ' ', '\n', '\r\n', '\t', 'a', 'Z', '0', '9.', '-', '_', '/', '\\', '"', '\'', '@', '=', ':', ',', '.', '{', '[', '(', '<', '}', ']', '\u0000', '\u{1f642}', '\ud800', 'é',
  '-eyJ', 'sk-', 'models/', 'waybill/', 'endpoint/', ':latest', '-20250101', '-4-5', '<think>', '<title', '<!--', '<script>', '</script', '&amp', 'retry in ', '1s', '1.', 'GMT (', '${', 'data:', 'data: {\n', '\n\n ',
  'thinkingBudget', 'signature', 'num_ctx ', '{"a":', '[{', 'call tool x {"', '<userRequest>', 'https://', '%25', '"]["', '\\"', 'key=', '# ', '- ',
];
const megabyte = 2 ** 20;
const part = megabyte / 32;

const text = (unit: string, length: number): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

const config = { catalog: { providers, findProvider }, supportedProtocols: protocolNames, source: 'settings' } as const;
const openai = providers.find(one => one.id === 'openai') ?? assert.fail('the catalog has openai');
const endpoint = resolveConfig({ endpoints: { e: { provider: 'openai' } }, routes: {} }, config).config;
const directory = new ModelDirectory(endpoint);
directory.configure(endpoint);
directory.apply('e', [{ name: 'gpt-5.5' }], 1);
const view = Object.assign(new FakeRoutingView({ e: { models: ['gpt-5.5'] } }, { auto: ['e/gpt-5.5'] }), { canonicalName: (name: string) => directory.canonicalName(name) });

const codecs = protocolNames.map((name): [ProtocolName, ProtocolCodec] => [name, codecFor(name)]);
const meta = { id: 'x', model: 'm', createdAt: 0 };
const target = { model: 'claude-sonnet-5.5', stream: true, defaultMaxOutputTokens: 1000, dialect: {}, origin: 'other' };
const pieces = (hostile: string): string[] => hostile.match(/[^]{1,512}/g) ?? [];
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A request in each protocol, with the text wherever a caller can put one. */
const requests: Readonly<Record<ProtocolName, (hostile: string) => JsonObject>> = {
  'openai-chat': hostile => ({
    model: hostile, stop: [hostile], user: hostile,
    messages: [{ role: 'system', content: hostile }, { role: 'user', content: [{ type: 'text', text: hostile }, { type: 'image_url', image_url: { url: `data:image/png;base64,${hostile}` } }] },
      { role: 'assistant', content: hostile, tool_calls: [{ id: hostile, type: 'function', function: { name: 'f', arguments: hostile } }] }, { role: 'tool', tool_call_id: hostile, content: hostile }],
  }),
  'openai-responses': hostile => ({ model: hostile, instructions: hostile, input: [{ role: 'user', content: [{ type: 'input_text', text: hostile }] }, { type: 'function_call', call_id: 'c', name: 'f', arguments: hostile }, { type: 'function_call_output', call_id: 'c', output: hostile }] }),
  'anthropic-messages': hostile => ({
    model: hostile, max_tokens: 10, system: hostile, stop_sequences: [hostile],
    messages: [{ role: 'user', content: hostile }, { role: 'assistant', content: [{ type: 'thinking', thinking: hostile, signature: hostile }, { type: 'tool_use', id: 'c', name: 'f', input: { a: hostile } }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: hostile }] }],
  }),
  'gemini': hostile => ({ contents: [{ role: 'user', parts: [{ text: hostile }] }, { role: 'model', parts: [{ functionCall: { name: 'f', args: { a: hostile } } }] }, { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: hostile } } }] }] }),
};

/** One piece of a streamed answer in each protocol: text, and the arguments of a tool call. */
const events: Readonly<Record<ProtocolName, (piece: string) => unknown[]>> = {
  'openai-chat': piece => [{ choices: [{ index: 0, delta: { content: piece, reasoning_content: piece } }] }, { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: 'f', arguments: piece } }] } }] }],
  'openai-responses': piece => [{ type: 'response.output_text.delta', item_id: 'i', output_index: 0, delta: piece }, { type: 'response.function_call_arguments.delta', item_id: 'j', output_index: 1, delta: piece }],
  'anthropic-messages': piece => [{ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } }, { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: piece } }],
  'gemini': piece => [{ candidates: [{ index: 0, content: { role: 'model', parts: [{ text: piece }, { functionCall: { name: 'f', args: { a: piece } } }] } }] }],
};

function tolerant(run: () => unknown): void {
  try {
    run();
  } catch {
    // A refusal is an answer too; only the time is looked at.
  }
}

function decoded(codec: ProtocolCodec, hostile: string): void {
  const decoder = codec.createStreamDecoder({});
  const encoder = codec.createStreamEncoder(meta);
  for (const piece of pieces(hostile)) {
    for (const event of events[codec.protocol](piece)) for (const read of decoder.decode(undefined, JSON.stringify(event))) encoder.encode(read);
  }
  for (const read of decoder.decode(undefined, '[DONE]')) encoder.encode(read);
  encoder.end();
}

const settingsOf: Readonly<Record<FormatName, (hostile: string) => string>> = {
  json: hostile => `{"a": ${JSON.stringify(hostile)}, // ${hostile.replaceAll(/[\r\n]/g, ' ')}\n"b": 1}`,
  yaml: hostile => `a: ${JSON.stringify(hostile)}\nb: 1\n`,
  toml: hostile => `a = ${JSON.stringify(hostile.replaceAll(/[^\x20-\x7e]/g, '.'))}\n\n[t]\nb = 1 # ${hostile.replaceAll(/[^\x20-\x7e]/g, '.')}\n`,
  env: hostile => `A=${hostile}\nB=1\n`,
};

const readers: Readonly<Record<string, (hostile: string) => unknown>> = {
  'canonicalModelName': canonicalModelName,
  'listedNames': hostile => listedNames([hostile, `x${hostile}`]),
  'upstreamModelName': hostile => upstreamModelName(hostile, { ...openai, makerPrefix: true, modelSpelling: 'dashes' }, listedNames([])),
  'ModelDirectory': hostile => [directory.canonicalName(hostile), directory.upstreamName('e', hostile), directory.listedFacts('e', hostile), directory.servedBy(hostile)],
  'snapshotName': hostile => [snapshotName(hostile), spelledSnapshot(hostile, openai), directory.modelAt('e', hostile, false)],
  'refusedParts': hostile => [hostile, `Unknown parameter: ${hostile}`, `'loc': (${hostile}`].map(message => refusedParts({ message, param: hostile }, { protocol: 'openai-chat', body: { seed: 1, tools: [] }, headers: { 'anthropic-beta': hostile } })),
  'resolveName': hostile => resolveName(hostile, view.table),
  'unknownNameMessage': hostile => unknownNameMessage(hostile, view.table),
  'a pinned name': hostile => resolveName(`e/${hostile}`, view.table),
  'readErrorText': readErrorText,
  'responseFailure of a text': hostile => responseFailure(400, { 'retry-after': hostile }, hostile, { endpoint: 'e', provider: openai, model: 'm' }, 0),
  'responseFailure of an error': hostile => responseFailure(429, {}, JSON.stringify({ error: { message: hostile, type: hostile, code: hostile } }), { endpoint: 'e', provider: openai, model: 'm' }, 0),
  'networkFailure': hostile => networkFailure(Object.assign(new Error(hostile), { code: hostile }), 'e', 'waiting'),
  'failureWords': hostile => failureWords('server', hostile),
  'parseRetryAfter': hostile => parseRetryAfter({ 'retry-after': hostile, 'retry-after-ms': hostile, 'x-ratelimit-reset': hostile }, 0),
  'a wait in seconds': hostile => parseRetryAfter({ 'retry-after': `${hostile}s`, 'x-ratelimit-reset-requests': hostile }, 0),
  'waitInWordsMs': waitInWordsMs,
  'momentInWordsMs': hostile => [momentInWordsMs(hostile, 0), momentInWordsMs(`resets at ${hostile}`, 0), momentInWordsMs(`resets at 2026-05-15T15:00:00${hostile}`, 0)],
  'readRateHeaders': hostile => readRateHeaders({ 'x-ratelimit-remaining-requests': hostile, 'x-ratelimit-reset-requests': hostile, ratelimit: hostile }, 0),
  'the name of a header': hostile => [readRateHeaders({ [`x-ratelimit-${hostile}`]: '1' }, 0), passedHeaders({ [`x-ratelimit-${hostile}`]: hostile })],
  'parseModelList': hostile => parseModelList(JSON.stringify({ data: [{ id: hostile, pricing: { prompt: hostile } }, { id: hostile.slice(0, 299) }] })),
  'a model list that is none': parseModelList,
  'parseModelDetails': hostile => parseModelDetails(JSON.stringify({ parameters: hostile, capabilities: [hostile] })),
  'parseJson': parseJson,
  'scanObject': hostile => [scanObject(Buffer.from(hostile)), scanObject(Buffer.from(`{"a":${hostile}`)), scanObject(bytes({ a: hostile, [hostile]: 1 }))],
  'readRequestFacts': hostile => {
    const body = bytes({ model: hostile, tools: [hostile], thinking: hostile, reasoning: hostile, generationConfig: { thinkingConfig: hostile } });
    const scan = scanObject(body);
    for (const name of protocolNames) if (scan !== undefined) readRequestFacts(name, body, scan);
  },
  'the path of a request': hostile => [routeTable.find(hostile, 'POST'), routeTable.find(`/models/${hostile}:generateContent`, 'POST'), plainPath(`/v1/${hostile}`), plainPath(text('/v1', hostile.length)), sentPath(hostile)],
  'callerOf': hostile => callerOf({ 'user-agent': hostile, 'x-waybill-tool': hostile, 'session-id': hostile }),
  'sourceFromUrl': hostile => [sourceFromUrl(hostile), sourceFromUrl(`data:${hostile}`)],
  'checkBaseUrl': hostile => [checkBaseUrl(hostile), checkBaseUrl(`https://a.example/${hostile}`)],
  'suggestion': hostile => suggestion(hostile, providers.map(one => one.id)),
  'expandVariables': hostile => expandVariables(hostile, {}),
  'resolveConfig': hostile => resolveConfig({
    endpoints: { [hostile]: {}, e: { provider: hostile, baseUrl: `https://a.example/${hostile}`, headers: { [hostile]: hostile } }, f: { provider: 'openai', baseUrl: hostile, [hostile]: 1, models: { [hostile]: { upstream: hostile } } } },
    routes: { [hostile]: {}, r: { targets: [hostile, `e/${hostile}`, `${hostile}/m`] } }, aliases: { [hostile]: hostile, a: hostile },
  }, config),
  'GrowingJson': hostile => {
    for (const begun of ['', '{"a":1}', '{"a":"']) {
      const json = new GrowingJson();
      let whole = '';
      for (const piece of [begun, ...pieces(hostile)]) {
        whole += piece;
        json.add(piece);
        json.isWhole(whole);
      }
    }
  },
  'createSseReader, in pieces': hostile => { tolerant(() => sseRead(Buffer.from(hostile))); },
  'createSseReader, one event': hostile => { tolerant(() => sseRead(Buffer.from(`data: ${hostile}\n\n`))); },
  'createSseReader, bare JSON': hostile => { tolerant(() => sseRead(Buffer.from(`{${hostile}`))); },
  'stop strings': hostile => stopped(hostile, [hostile.slice(0, hostile.length / 2), `${hostile.slice(0, 500)}!`, ...pieces(hostile)]),
  'composeAnswer': hostile => composeAnswer('p', {
    model: 'm', stream: true, inputTokens: 1, userText: hostile, toolResults: [], images: 0, tools: [{ name: 'x', parameters: undefined }], toolChoice: 'auto', parallelToolCalls: true,
    maxOutputTokens: undefined, stop: [], choices: 1, thinking: 'off', format: 'text', includeUsage: true,
  }, () => 'id'),
  'a bill': hostile => {
    tolerant(() => csvBill(`date,model,cost\n2026-11-20,${hostile},1\n`));
    tolerant(() => csvBill(`date,model,cost\n"${hostile}",m,${hostile}\n`));
    tolerant(() => csvBill(hostile));
    return [exactUsd(hostile), billDay(hostile, 0), modelOfLineItem(hostile)];
  },
  'cleanKey': hostile => [cleanKey(hostile), keyProblem(hostile, { keyRequired: true, name: 'p' }), ...providerOffers().map(offer => keyWarning(hostile, offer))],
  'suggestedName': hostile => suggestedName({ ...(providerOffers()[0] ?? assert.fail()), id: hostile }, hostile, []),
  'orderedModels': hostile => orderedModels([hostile, 'gpt-5.5'], { targets: [`e/${hostile}`] }),
  'baseUrlProblem': hostile => [baseUrlProblem(hostile), baseUrlProblem(`https://a.example/${hostile}`), nameProblem(hostile, [])],
  'parseKeyList': hostile => {
    for (const stored of [hostile, JSON.stringify([{ id: hostile, label: hostile, secret: hostile }])]) tolerant(() => parseKeyList(stored, 'e'));
  },
  'markdown': hostile => [markdownCell(hostile), escapeMarkdown(hostile)],
  'csvText': hostile => csvText([[hostile, 'x']]),
  'readDuration': readDuration,
  'wantedName': hostile => [wantedName(`model:${hostile}`, []), shownModels([], 'all')],
  ...Object.fromEntries(Object.entries(settingsOf).flatMap(([format, configOf]) => [
    [`a configuration of another program in ${format}`, (hostile: string) => { tolerant(() => applySettings(format as FormatName, configOf(hostile), [{ path: ['b'], value: '2', secret: [] }])); }],
    // What the YAML library makes of a megabyte of brackets is its own: one error for each.
    ...(format === 'yaml' ? [] : [[`a configuration in ${format} that is none`, (hostile: string) => { tolerant(() => maskText(format as FormatName, hostile, [{ path: ['b'], secret: [] }])); }] as const]),
  ])),
  ...Object.fromEntries(codecs.flatMap(([name, codec]): [string, (hostile: string) => unknown][] => [
    [`a streamed answer of ${name}`, hostile => { decoded(codec, hostile); }],
    [`a stream of ${name} that is none`, hostile => { const decoder = codec.createStreamDecoder({}); for (const piece of pieces(hostile)) decoder.decode(piece, piece); }],
    [`a request of ${name}`, hostile => {
      tolerant(() => {
        const conversation = codec.decodeRequest(requests[name](hostile));
        for (const [, other] of codecs) tolerant(() => other.encodeRequest(conversation, target));
      });
    }],
    [`an error for a caller of ${name}`, hostile => [codec.encodeError({ failureClass: 'server', message: hostile, code: hostile }), codec.encodeStreamError({ failureClass: 'server', message: hostile })]],
  ])),
};

function sseRead(whole: Buffer): void {
  const reader = createSseReader({ maxEventBytes: 4 * megabyte }, () => {});
  for (let from = 0; from < whole.length; from += 512) reader.push(whole.subarray(from, from + 512));
  reader.end();
}

function stopped(hostile: string, stops: readonly string[]): void {
  const decoder = withStopStrings(codecFor('openai-chat') ?? assert.fail(), stops).createStreamDecoder({});
  for (const piece of pieces(hostile)) decoder.decode(undefined, JSON.stringify({ choices: [{ index: 0, delta: { content: piece.slice(1) } }] }));
}

/** A square of 32 KB takes a good part of a second, one of a megabyte minutes; a line takes milliseconds, and a busy machine some times that. */
const partMs = 500;
const wholeMs = 5000;
/** How many of the texts, those that took longest, are tried with a whole megabyte. */
const triedWhole = 3;

describe('no reader of texts from outside takes longer than its text is long', () => {
  const parts = units.map(unit => ({ unit, hostile: text(unit, part) }));
  for (const [name, read] of Object.entries(readers)) {
    test(name, () => {
      const took = parts.map(({ unit, hostile }) => {
        const ms = leastMs(() => read(hostile), 1);
        assert.ok(ms < partMs || leastMs(() => read(hostile), 3) < partMs, `${name}, 32 KB of ${JSON.stringify(unit)}: ${ms.toFixed(0)} ms`);
        return { unit, ms };
      });
      for (const { unit, ms: before } of took.sort((one, other) => other.ms - one.ms).slice(0, triedWhole)) {
        const hostile = text(unit, megabyte);
        const mostMs = Math.min(wholeMs, 400 + before * 100);
        const ms = leastMs(() => read(hostile), 1);
        assert.ok(ms < mostMs || leastMs(() => read(hostile), 2) < mostMs, `${name} of ${JSON.stringify(unit)}: ${before.toFixed(1)} ms for 32 KB, ${ms.toFixed(0)} ms for a megabyte`);
      }
    });
  }
});
