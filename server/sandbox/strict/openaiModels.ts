/**
 * What a model of OpenAI's takes of reasoning, by its name. Sources: the table that a user measured at
 * https://community.openai.com/t/request-for-compatibility-matrix-reasoning-effort-sampling-parameters-across-gpt-5-series/1371738;
 * run-llama/llama_index#20865 (parallel calls). Read in November 2026.
 */
export interface OpenAiGeneration {
  readonly reasons: boolean;
  /** Accepted efforts; undefined: which ones is not published. */
  readonly efforts?: readonly string[] | undefined;
  /** `parallel_tool_calls` is refused. */
  readonly oneCallOnly?: boolean | undefined;
  /** Function tools go with `reasoning_effort: none` only, on Chat. */
  readonly toolsWithoutReasoningOnly?: boolean | undefined;
}

/**
 * The most tokens of an answer; undefined: not published where it was looked for. Sources: opencode-ai/opencode#140 (GPT-4.1), tailcallhq/forgecode#1185
 * (GPT-4o), ChatGPTNextWeb/NextChat#3195 (GPT-3.5), and the vendor's pages of models; November 2026.
 */
export function openAiLargestOutput(model: string): number | undefined {
  if (/^gpt-3\.5/.test(model)) return 4096;
  if (model.startsWith('gpt-4o')) return 16_384;
  if (model.startsWith('gpt-4.1')) return 32_768;
  if (/^o[34]/.test(model)) return 100_000;
  return /^gpt-5(?:\.[12])?(?:-(?:mini|nano))?(?:-\d{4}|$)/.test(model) ? 128_000 : undefined;
}

/** Undefined: the name is not one of OpenAI's. */
export function openAiGeneration(model: string): OpenAiGeneration | undefined {
  if (/^(?:gpt-3|gpt-4|chatgpt)/.test(model) || /^gpt-5.*-chat/.test(model)) return { reasons: false };
  if (/^o[1-9]/.test(model)) return { reasons: true, efforts: ['low', 'medium', 'high'], oneCallOnly: true };
  const version = /^gpt-(\d)(?:\.(\d+))?/.exec(model);
  if (version === null) return undefined;
  const tenths = Number(version[1]) * 10 + Number(version[2] ?? 0);
  if (tenths >= 53) return { reasons: true, toolsWithoutReasoningOnly: tenths >= 56 };
  return { reasons: true, efforts: effortsOf(model, tenths) };
}

function effortsOf(model: string, tenths: number): readonly string[] {
  if (model.includes('-pro')) return tenths === 50 ? ['high'] : ['medium', 'high', 'xhigh'];
  if (model.includes('codex')) return tenths === 52 || model.includes('codex-max') ? ['low', 'medium', 'high', 'xhigh'] : ['low', 'medium', 'high'];
  if (tenths === 50) return ['minimal', 'low', 'medium', 'high'];
  return tenths === 51 ? ['none', 'low', 'medium', 'high'] : ['none', 'low', 'medium', 'high', 'xhigh'];
}
