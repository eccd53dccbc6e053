/** What a Gemini model accepts where models differ. Read from its name, as that is all a request carries. */
export interface GeminiModelRules {
  /** How thinking is asked for: not at all, by a budget in tokens, or by a level. */
  thinking: 'none' | 'budget' | 'level';
  /** Levels that are accepted, weakest first; the weakest stands for thinking turned off. */
  levels: readonly string[];
  /** Budgets that are accepted; 0 besides, where thinking can be turned off. */
  budget: { least: number; most: number; off: boolean };
  /** A replayed call without its signature is refused. */
  needsSignatures: boolean;
  /** Tool results may hold images and documents. */
  mediaInResults: boolean;
  /** A JSON schema for the answer and tools go together. */
  schemaWithTools: boolean;
}

/**
 * Rules of a model behind the Gemini protocol. A Gemini whose name has no version (`gemini-flash-latest`) is of
 * the newest kind; a name that is not Gemini's (`gemma-3`) is a model that does not think.
 */
export function geminiModelRules(model: string): GeminiModelRules {
  const name = model.toLowerCase();
  const match = /gemini-(\d+)(?:\.(\d+))?/.exec(name);
  const isGemini = name.includes('gemini');
  const version = match === null ? (isGemini ? 30 : 0) : Number(match[1]) * 10 + Number(match[2] ?? 0);
  const isNew = version >= 30;
  return {
    thinking: isNew ? 'level' : version >= 25 ? 'budget' : 'none',
    levels: levelsOf(name, version),
    budget: name.includes('pro') ? { least: 128, most: 32_768, off: false } : { least: name.includes('lite') ? 512 : 1, most: 24_576, off: true },
    needsSignatures: isNew,
    mediaInResults: isNew,
    schemaWithTools: isNew,
  };
}

function levelsOf(name: string, version: number): readonly string[] {
  if (name.includes('flash')) return ['minimal', 'low', 'medium', 'high'];
  return version === 30 && name.includes('pro') ? ['low', 'high'] : ['low', 'medium', 'high'];
}
