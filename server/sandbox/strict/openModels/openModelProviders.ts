import type { StrictProvider } from '../strictProvider.ts';
import { cerebras } from './cerebras.ts';
import { cloudflare } from './cloudflare.ts';
import { fireworks } from './fireworks.ts';
import { zai, zaiCodingPlan } from './glm.ts';
import { deepinfra, huggingface, nvidia, together } from './hosts.ts';
import { minimax } from './minimax.ts';
import { perplexity } from './perplexity.ts';
import { qwen } from './qwen.ts';
import { sambanova } from './sambanova.ts';
import { siliconflow } from './siliconflow.ts';

/** Vendors and hosts of open models, and Perplexity. Each of their rules carries its source. */
export const openModelProviders = {
  zai, 'zai-coding-plan': zaiCodingPlan, qwen, minimax, perplexity, together, fireworks, cerebras, sambanova, nvidia, huggingface, cloudflare, deepinfra, siliconflow,
} as const satisfies Readonly<Record<string, StrictProvider>>;
