import { claudeModelRules, isClaude } from '../anthropicMessages/claudeModels.ts';

/** What a model behind Converse takes where models differ. Read from its name, as that is all a request carries. */
export interface ConverseModelRules {
  /** A tool can be forced: any of them, or one by its name. */
  readonly forcedChoice: 'none' | 'any' | 'named';
  /** Results of tools have a status of their own, and may hold images and documents. */
  readonly richResults: boolean;
  /** Where marks of the prompt cache may stand. */
  readonly cacheMarks: 'none' | 'prompt' | 'everywhere';
  /** A conversation may end with the assistant, whose last message is then continued. */
  readonly prefill: boolean;
  /** Tools can be called in a stream; else a request with tools is answered as a whole. */
  readonly streamsTools: boolean;
  /** The field of the model's own by which an effort of reasoning is asked for. */
  readonly effort: 'none' | 'reasoning_effort' | 'reasoningConfig';
}

/**
 * Rules of a model behind Converse. Sources: AWS's pages "Supported models and model features", "Prompt caching",
 * ToolResultBlock and SpecificToolChoice of the API reference, and the pages of the models; read 2026-11-27. A name that tells
 * nothing, as that of an application inference profile, has the rules that every model keeps to.
 */
export function converseModelRules(model: string): ConverseModelRules {
  const name = model.toLowerCase();
  if (isClaude(name)) return { forcedChoice: claudeModelRules(name).forcedToolChoice ? 'named' : 'none', richResults: true, cacheMarks: 'everywhere', prefill: claudeModelRules(name).prefill, streamsTools: true, effort: 'none' };
  if (name.includes('nova')) return { forcedChoice: 'named', richResults: true, cacheMarks: 'prompt', prefill: true, streamsTools: true, effort: /nova-2/.test(name) ? 'reasoningConfig' : 'none' };
  if (name.includes('mistral')) return { ...plain, forcedChoice: 'any' };
  if (name.includes('gpt-oss')) return { ...plain, effort: 'reasoning_effort' };
  if (/llama|palmyra/.test(name)) return { ...plain, streamsTools: false };
  return plain;
}

const plain: ConverseModelRules = { forcedChoice: 'none', richResults: false, cacheMarks: 'none', prefill: false, streamsTools: true, effort: 'none' };
