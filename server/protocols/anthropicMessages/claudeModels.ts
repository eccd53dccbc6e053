/** What a Messages model accepts where models differ. Read from its name, as that is all a request carries. */
export interface ClaudeModelRules {
  /** How thinking is asked for: not at all, by a budget, or by `adaptive` with an effort. */
  thinking: 'none' | 'budget' | 'adaptive';
  /** How thinking is turned off: by not asking, by `disabled`, by `between_tools`, or never (least effort). */
  thinkingOff: 'omit' | 'disabled' | 'between-tools' | 'least-effort';
  /** `tool_choice` may be `any` or `tool`. */
  forcedToolChoice: boolean;
  /** `temperature`, `top_p`, `top_k` other than their defaults are accepted. */
  sampling: boolean;
  /** `temperature` and `top_p` exclude each other. */
  oneSampling: boolean;
  /** The answer's JSON schema can be asked for (`output_config.format`). */
  answerSchema: boolean;
  /** A conversation may end with the assistant, whose last message is then continued. */
  prefill: boolean;
}

/**
 * Rules of a model behind a Messages API. Models before 4.6 take a thinking budget, later ones an effort;
 * from 4.6 on a conversation must end with the user; after Opus 4.6 sampling parameters are refused; Opus 5.5, Sonnet 5.5 and Fable refuse to be forced to a tool
 * and to stop thinking. A name that is not Claude's is another vendor's model behind a compatible API: it gets
 * the oldest and most widely understood form.
 */
export function claudeModelRules(model: string): ClaudeModelRules {
  const name = model.toLowerCase();
  if (!isClaude(name)) return { thinking: 'budget', thinkingOff: 'disabled', forcedToolChoice: true, sampling: true, oneSampling: false, answerSchema: true, prefill: true };
  const version = versionOf(name);
  const common = { oneSampling: version === undefined || version >= 41, answerSchema: version === undefined || version >= 45 || (version === 41 && name.includes('opus')) };
  if (version === undefined) return { ...common, thinking: 'adaptive', thinkingOff: 'least-effort', forcedToolChoice: false, sampling: false, prefill: false };
  if (version < 37) return { ...common, thinking: 'none', thinkingOff: 'omit', forcedToolChoice: true, sampling: true, prefill: true };
  if (version < 46) return { ...common, thinking: 'budget', thinkingOff: 'omit', forcedToolChoice: true, sampling: true, prefill: true };
  if (version < 55) {
    const alwaysThinks = /fable|mythos/.test(name);
    return { ...common, thinking: 'adaptive', thinkingOff: alwaysThinks ? 'least-effort' : 'disabled', forcedToolChoice: !alwaysThinks, sampling: version <= 46, prefill: false };
  }
  return { ...common, thinking: 'adaptive', thinkingOff: name.includes('sonnet') ? 'between-tools' : 'least-effort', forcedToolChoice: name.includes('haiku'), sampling: false, prefill: false };
}

/** Whether a Claude takes turns of the system among the others: Opus 4.8 and later models do. Source: anthropics/claude-code#77698, November 2026. */
export function takesSystemTurns(model: string): boolean {
  return (versionOf(model.toLowerCase()) ?? 48) >= 48;
}

/** Whether a model name is one of Anthropic's own, whoever serves it. */
export function isClaude(model: string): boolean {
  return model.toLowerCase().includes('claude');
}

/** In tenths: 45 of `claude-sonnet-4-5-20250929`, 37 of `claude-3-7-sonnet`, 40 of `claude-opus-4-20250514`: a date is no version. */
function versionOf(name: string): number | undefined {
  const match = /claude-(?:[a-z]+-)?(\d)(?:[-.](\d))?(?!\d)/.exec(name);
  return match === null ? undefined : Number(match[1]) * 10 + Number(match[2] ?? 0);
}
