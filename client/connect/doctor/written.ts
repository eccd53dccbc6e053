import { valueAt } from '../configPath.ts';
import { formats } from '../formats.ts';
import type { Connection, FileSettings, Surroundings, Tool } from '../tool.ts';

/** What a tool's files say of the local endpoint, whoever wrote them; absent: they say nothing. */
export interface WrittenConnection { file: string; url?: string | undefined; token?: string | undefined }

const sampleUrl = 'http://waybill.invalid';
const sampleToken = 'waybill-sample-token';

/** Finds the address and the token at the places where connecting would write them. @param textOf the text of a file; undefined: there is none */
export function writtenConnection(tool: Tool, where: Surroundings, model: Connection['model'], textOf: (file: string) => string | undefined): WrittenConnection {
  const found: WrittenConnection = { file: '' };
  for (const { file, format, settings } of tool.files(where, { url: sampleUrl, token: sampleToken, model, at: 0 }) satisfies FileSettings[]) {
    if (found.file === '') found.file = file;
    const text = textOf(file);
    if (text === undefined) continue;
    const root = formats[format].parse(text);
    for (const { path, value } of settings) {
      const present = valueAt(root, path);
      eachText(value, [], (at, sample) => {
        const there = valueAt(present, at);
        if (typeof there !== 'string') return;
        if (sample.startsWith(sampleUrl)) {
          const rest = sample.slice(sampleUrl.length);
          found.url ??= there.endsWith(rest) ? there.slice(0, there.length - rest.length) : there;
        } else if (sample === sampleToken) found.token ??= there;
      });
    }
  }
  return found;
}

function eachText(value: unknown, at: readonly string[], visit: (at: readonly string[], text: string) => void): void {
  if (typeof value === 'string') visit(at, value);
  else if (typeof value === 'object' && value !== null && !Array.isArray(value)) for (const [key, inner] of Object.entries(value)) eachText(inner, [...at, key], visit);
}
