import type { ProtocolName } from '../../api/conversation.ts';
import type { FactWords } from './dialectWords.ts';

/** Where a fact stands: a page or a public report, and the day on which it was read. */
export interface FamilySource { url: string; read: string; secondary?: true }

export interface FamilyFact { fact: FactWords; sources: readonly FamilySource[] }

/** What models of a family refuse wherever they are served, by their names. These rules are code (protocols/bodyRules), their sources data. */
export interface ModelFamily { name: string; protocols: readonly ProtocolName[]; facts: readonly FamilyFact[] }

const read = '2026-11-27';
const report = (path: string): FamilySource => ({ url: `https://github.com/${path}`, read });
const page = (url: string, day = '2026-11-20'): FamilySource => ({ url, read: day });
const anthropicDocs: FamilySource = { ...page('https://platform.claude.com/docs/en/api/messages'), secondary: true };
const geminiDocs: FamilySource = { ...page('https://ai.google.dev/api/generate-content'), secondary: true };

export const modelFamilies: readonly ModelFamily[] = [
  {
    name: 'OpenAI models', protocols: ['openai-chat', 'openai-responses'],
    facts: [
      { fact: { kind: 'renamed', words: '`max_tokens` is `max_completion_tokens` for models that reason' }, sources: [page('https://www.npmjs.com/package/openai/v/7.55.0')] },
      { fact: { kind: 'refused', words: '`temperature`, `top_p`, penalties, `stop`, `logprobs`, `logit_bias` by models that reason, unless reasoning is turned off' }, sources: [{ ...page('https://community.openai.com/t/request-for-compatibility-matrix-reasoning-effort-sampling-parameters-across-gpt-5-series/1371738', read), secondary: true }] },
      { fact: { kind: 'refused', words: 'schemas of tools without `properties`, lists without `items`, unions and references at the top' }, sources: [report('mark3labs/mcphost/issues/35'), report('garrytan/gbrain/issues/1103')] },
      { fact: { kind: 'needed', words: 'JSON mode wants the word JSON in the prompt' }, sources: [report('ultimatejimmy/xray.koplugin/issues/33')] },
      { fact: { kind: 'refused', words: 'ids of items that do not begin as their type does (`msg`, `fc`, `rs`), on Responses' }, sources: [report('Wei-Shaw/sub2api/issues/3981'), report('openai/codex/issues/33176')] },
      { fact: { kind: 'refused', words: 'a choice of tools, or `parallel_tool_calls`, without tools; empty lists of tools and calls' }, sources: [page('https://www.npmjs.com/package/openai/v/7.55.0')] },
    ],
  },
  {
    name: 'Claude models', protocols: ['anthropic-messages'],
    facts: [
      { fact: { kind: 'bounded', words: 'ids of calls have letters, digits, `_` and `-`' }, sources: [report('openclaw/openclaw/issues/7107'), report('farion1231/cc-switch/issues/1181')] },
      { fact: { kind: 'bounded', words: 'names of tools have up to 128 letters, digits, `_` and `-`' }, sources: [anthropicDocs] },
      { fact: { kind: 'bounded', words: 'pictures are JPEG, PNG, GIF or WebP, and labelled as what they are' }, sources: [{ ...page('https://platform.claude.com/docs/en/build-with-claude/vision'), secondary: true }, report('NousResearch/hermes-agent/issues/55432')] },
      { fact: { kind: 'refused', words: '`temperature` beside `top_p`, from Opus 4.1 and the 4.5 models on' }, sources: [report('BerriAI/litellm/issues/15097')] },
      { fact: { kind: 'refused', words: '`temperature`, `top_p`, `top_k` by models after Opus 4.6' }, sources: [page('https://platform.claude.com/docs/en/api/versioning')] },
      { fact: { kind: 'refused', words: 'a conversation that ends with the assistant, from 4.6 on' }, sources: [{ url: 'vscode-unify-chat-provider#249', read: '2026-11-20' }] },
      { fact: { kind: 'asked for otherwise', words: 'thinking by a budget before 4.6, by an effort after it; Opus 5.5, Sonnet 5.5 and Fable do not turn it off' }, sources: [page('https://platform.claude.com/docs/en/about-claude/models/whats-new-sonnet-5-5')] },
      { fact: { kind: 'asked for otherwise', words: 'a forced choice of a tool in words, for Opus 5.5, Sonnet 5.5 and Fable' }, sources: [page('https://platform.claude.com/docs/en/about-claude/models/whats-new-sonnet-5-5')] },
      { fact: { kind: 'bounded', words: "the answer's JSON schema closes all objects; bounds of numbers, texts and lists are moved to descriptions; before the 4.5 models and Opus 4.1 it is asked for in words" }, sources: [report('ax-llm/ax/issues/458'), report('agentjido/req_llm/issues/302')] },
      { fact: { kind: 'bounded', words: '`metadata.user_id` names no person (e-mail, telephone) and has up to 256 characters; else its hash is sent' }, sources: [report('BerriAI/litellm/pull/11432')] },
    ],
  },
  {
    name: 'Gemini models', protocols: ['gemini'],
    facts: [
      { fact: { kind: 'bounded', words: 'names of functions have up to 64 letters, digits, `_`, `.` and `-`, and begin with a letter or `_`' }, sources: [report('google-gemini/gemini-cli/issues/2966')] },
      { fact: { kind: 'bounded', words: 'pictures are PNG, JPEG, WebP, HEIC or HEIF: GIF is left out' }, sources: [{ ...page('https://ai.google.dev/gemini-api/docs/image-understanding', read), secondary: true }, report('microsoft/vscode/issues/286628')] },
      { fact: { kind: 'asked for otherwise', words: 'thinking by a budget for 2.5, by a level from 3 on' }, sources: [{ ...page('https://ai.google.dev/gemini-api/docs/thinking', read), secondary: true }, report('QwenLM/qwen-code/pull/9094')] },
      { fact: { kind: 'needed', words: 'calls in the history must be signed, from 3 on: unsigned ones get the documented stand-in' }, sources: [page('https://ai.google.dev/gemini-api/docs/thought-signatures'), report('askimo-ai/askimo/issues/543')] },
      { fact: { kind: 'asked for otherwise', words: 'JSON beside tools in words, before 3' }, sources: [geminiDocs] },
      { fact: { kind: 'bounded', words: '`seed` has 32 bits; up to five stop strings, the others are applied here' }, sources: [geminiDocs] },
    ],
  },
];
