import type { ProtocolName } from '../../../api/conversation.ts';

/** What a path asks for. */
export type PathMeaning =
  | {
    kind: 'conversation'; protocol: ProtocolName;
    /** Gemini names the model and the way of answering in the path. */
    model?: string | undefined; stream?: boolean | undefined;
    /** Gemini without `alt=sse`: the stream is one JSON array. */
    jsonArray?: boolean | undefined;
  }
  | { kind: 'count'; protocol: ProtocolName; model?: string | undefined }
  | { kind: 'completion' }
  | { kind: 'embedding' }
  | { kind: 'other' };

const conversations: ReadonlyMap<string, ProtocolName> = new Map([
  ['/chat/completions', 'openai-chat'],
  ['/messages', 'anthropic-messages'],
  ['/responses', 'openai-responses'],
]);
/** Some clients leave `models/` out before a name that has a slash of its own, such as `endpoint/model`. */
const geminiCall = /^(?:\/v1beta1?)?\/(?:models\/)?([^:]+):(generateContent|streamGenerateContent|countTokens)$/;

/**
 * What a request is for, by its path.
 * @param path without query; see plainPath
 */
export function meaningOf(path: string, query: string): PathMeaning {
  const protocol = conversations.get(path);
  if (protocol !== undefined) return { kind: 'conversation', protocol };
  switch (path) {
    case '/messages/count_tokens': return { kind: 'count', protocol: 'anthropic-messages' };
    case '/responses/input_tokens': return { kind: 'count', protocol: 'openai-responses' };
    case '/completions':
    case '/fim/completions': return { kind: 'completion' };
    case '/embeddings': return { kind: 'embedding' };
    default:
  }
  const gemini = geminiCall.exec(path);
  if (gemini === null) return { kind: 'other' };
  const model = decodeName(gemini[1] ?? '');
  if (gemini[2] === 'countTokens') return { kind: 'count', protocol: 'gemini', model };
  const stream = gemini[2] === 'streamGenerateContent';
  return { kind: 'conversation', protocol: 'gemini', model, stream, jsonArray: stream && new URLSearchParams(query).get('alt') !== 'sse' };
}

/** Tools disagree about `/v1`: with it, without it and doubled it means the same. */
export function plainPath(path: string): string {
  let plain = path;
  while (plain.startsWith('/v1/')) plain = plain.slice(3);
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain;
}

/** The path without query as the caller sent it, for errors: nobody knows a path they did not write. */
export function sentPath(url: string | undefined): string {
  return (url ?? '/').split('?', 1)[0] ?? '/';
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
