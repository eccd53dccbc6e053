import { asNumber } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { objectsOf, wordsOf } from './strictCheck.ts';

/** A model that a simulated server of one's own serves, as the person who started it set it up. */
export interface ServedModel {
  /** Prompt and answer together, in tokens. */
  readonly window: number;
  readonly images: boolean;
  readonly tools: boolean;
  /** Its chat template thinks unless it is told not to. */
  readonly thinks: boolean;
  /** What its chat template refuses: roles that are not in turn, or instructions behind the first message. */
  readonly template: 'any' | 'in-turn' | 'instructions-first';
}

/** By name. The templates are those that the named models come with. */
const served: Readonly<Record<string, ServedModel>> = {
  'qwen3-32b': { window: 40_960, images: false, tools: true, thinks: true, template: 'any' },
  'qwen3-vl-8b': { window: 32_768, images: true, tools: true, thinks: false, template: 'any' },
  // lmstudio-ai/lmstudio-bug-tracker#1586 and reports of the same template elsewhere: "System message must be at the beginning."
  'qwen3.5-35b-a3b': { window: 262_144, images: true, tools: true, thinks: true, template: 'instructions-first' },
  // ggml-org/llama.cpp#19851, mistralai/mistral-vibe#1006.
  'devstral-small-2': { window: 131_072, images: true, tools: true, thinks: false, template: 'in-turn' },
  // idiap/sdialog#122.
  'gemma3-12b': { window: 131_072, images: true, tools: true, thinks: false, template: 'in-turn' },
  'llama2-13b': { window: 4096, images: false, tools: false, thinks: false, template: 'any' },
};

/** Undefined: the server does not serve such a model. */
export function servedModel(model: string): ServedModel | undefined {
  return served[model.replace(/:.*$/, '')];
}

/** How many tokens a server counts for the prompt: four characters of its text each. */
export function promptTokens(body: JsonObject): number {
  const bytes = wordsOf(body['messages'] ?? body['input']).replace(/[A-Za-z0-9+/=]{400,}/g, '') + wordsOf(body['system'] ?? body['instructions']) + wordsOf(body['tools']);
  return Math.ceil(bytes.length / 4);
}

export function outputLimit(body: JsonObject): number | undefined {
  return asNumber(body['max_completion_tokens']) ?? asNumber(body['max_tokens']) ?? asNumber(body['max_output_tokens']);
}

/** What the template of the model says of the roles of a Chat request; undefined: nothing. */
export function templateFault(body: JsonObject, { template }: ServedModel): string | undefined {
  if (template === 'any') return undefined;
  const roles = objectsOf(body['messages']).map((message) => ({ role: message['role'] === 'developer' ? 'system' : message['role'], calls: objectsOf(message['tool_calls']).length > 0 }));
  if (roles.some(({ role }, index) => role === 'system' && index > 0)) return template === 'in-turn' ? inTurn : 'System message must be at the beginning.';
  if (template === 'instructions-first') return undefined;
  const spoken = roles.filter(({ role, calls }) => role === 'user' || (role === 'assistant' && !calls));
  return spoken.some(({ role }, index) => (role === 'user') !== (index % 2 === 0)) ? inTurn : undefined;
}

const inTurn = 'After the optional system message, conversation roles must alternate user and assistant roles except for tool calls and results.';
