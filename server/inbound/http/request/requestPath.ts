/**
 * Where Gemini takes a call: its path names the model and the method. Some clients leave `models/` out before a name
 * that has a slash of its own, such as `endpoint/model`. The first group is the model's name,
 * which may have colons of its own, such as `llama3:8b` or `coding:low-cost`.
 */
export function geminiCallPath(method: string): RegExp {
  return new RegExp(`^(?:/v1beta1?)?/(?:models/)?(.+):${method}$`);
}

/** Tools disagree about `/v1`: with it, without it and doubled it means the same. */
export function plainPath(path: string): string {
  let plain = path;
  while (plain.startsWith('/v1/')) plain = plain.slice(3);
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain;
}

/** The path of a URL without its query, as the caller sent it. */
export function sentPath(url: string | undefined): string {
  return (url ?? '/').split('?', 1)[0] ?? '/';
}

/** Decodes a part of a path; broken escapes stay as they are, so that the name is merely not found. */
export function decodePathPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
