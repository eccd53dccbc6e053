import { readFileSync } from 'node:fs';
import { isObject, parseJson } from '../json.ts';

/**
 * Reads a file of texts, by their English text.
 * @returns undefined where there is none, or where it is not such a file: texts are then English
 */
export function readTexts(file: string): Record<string, string> | undefined {
  try {
    const texts = parseJson(readFileSync(file, 'utf8'));
    return isObject(texts) && Object.values(texts).every(text => typeof text === 'string') ? texts as Record<string, string> : undefined;
  } catch {
    return undefined;
  }
}
