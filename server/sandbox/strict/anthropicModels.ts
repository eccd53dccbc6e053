/** What a Claude model takes, by its name. Sources: https://platform.claude.com/docs (models, extended and adaptive thinking, structured outputs) as collected in November 2026. */
export interface ClaudeGeneration {
  readonly thinking: 'none' | 'budget' | 'adaptive';
  /** `thinking: {type: 'enabled'}` is refused. */
  readonly noBudget: boolean;
  readonly noDisabling: boolean;
  readonly sampling: boolean;
  /** `temperature` and `top_p` go together. */
  readonly bothSampling: boolean;
  readonly prefill: boolean;
  readonly forcedChoice: boolean;
  readonly effort: boolean;
  readonly answerSchema: boolean;
  /** Turns of the system stand among the others. */
  readonly systemTurns: boolean;
  /** The most tokens of an answer. Sources: anthropics/claude-code#23923, #24451 and #11302, coolcline/CoolCline#23, and the vendor's list of models. */
  readonly largestOutput: number;
}

/** Undefined: not a model of Anthropic's, or one without a version in its name. */
export function claudeGeneration(model: string): ClaudeGeneration | undefined {
  const match = /^claude-(?:(opus|sonnet|haiku|fable|mythos)-(\d)(?:[-.](\d))?(?!\d)|(\d)(?:[-.](\d))?-(?:opus|sonnet|haiku))/.exec(model);
  if (match === null) return undefined;
  const family = match[1] ?? '';
  const version = Number(match[2] ?? match[4]) * 10 + Number(match[3] ?? match[5] ?? 0);
  const alwaysThinks = family === 'fable' || family === 'mythos' || (version >= 55 && family !== 'sonnet');
  return {
    thinking: version < 37 ? 'none' : version < 46 ? 'budget' : 'adaptive',
    noBudget: version > 46,
    noDisabling: alwaysThinks || version >= 55,
    sampling: version <= 46,
    bothSampling: version < 41,
    prefill: version < 46,
    forcedChoice: !(family === 'fable' || family === 'mythos' || (version >= 55 && family !== 'haiku')),
    effort: version >= 46 || (family === 'opus' && version === 45),
    answerSchema: version >= 45 || (family === 'opus' && version === 41),
    systemTurns: version >= 48,
    largestOutput: largestOutput(version, family),
  };
}

function largestOutput(version: number, family: string): number {
  if (version < 35) return 4096;
  if (version < 37) return 8192;
  if (version < 40) return 64_000;
  if (version < 45) return family === 'opus' ? 32_000 : 64_000;
  return version === 45 || (version === 46 && family === 'sonnet') ? 64_000 : 128_000;
}
