/**
 * What arrives in a chat request's messages, by shape. The editor's classes are not needed to read them, and
 * parts of unknown kinds are expected: newer editors send new kinds.
 */
export interface IncomingMessage {
  /** 1 user, 2 assistant, 3 system (not in the stable enumeration, but sent). */
  readonly role: number;
  readonly content: readonly unknown[];
}

export type IncomingPart =
  | { kind: 'text'; text: string }
  | { kind: 'thinking'; text: string; metadata: Record<string, unknown> }
  | { kind: 'tool-call'; callId: string; name: string; input: unknown }
  | { kind: 'tool-result'; callId: string; content: readonly unknown[] }
  | { kind: 'media'; mimeType: string; bytes: Uint8Array }
  | { kind: 'unknown' };

/** Data parts that are notes between the editor and its own providers, and no part of the conversation. */
const privateMimeTypes: ReadonlySet<string> = new Set([
  'usage', 'stateful_marker', 'cache_control', 'context_management', 'thinking', 'phase_data',
]);

export function readPart(part: unknown): IncomingPart {
  if (typeof part === 'string') return { kind: 'text', text: part };
  if (!isRecord(part)) return { kind: 'unknown' };
  if (typeof part['callId'] === 'string') {
    if (typeof part['name'] === 'string') return { kind: 'tool-call', callId: part['callId'], name: part['name'], input: part['input'] };
    if (Array.isArray(part['content'])) return { kind: 'tool-result', callId: part['callId'], content: part['content'] };
    return { kind: 'unknown' };
  }
  if (typeof part['mimeType'] === 'string' && part['data'] instanceof Uint8Array) {
    return privateMimeTypes.has(part['mimeType']) ? { kind: 'unknown' } : { kind: 'media', mimeType: part['mimeType'], bytes: part['data'] };
  }
  const value = part['value'];
  // A thinking part has an id and metadata beside its value, set even when they are undefined; a text part has not.
  if ('metadata' in part || 'id' in part) {
    const text = Array.isArray(value) ? value.filter(piece => typeof piece === 'string').join('') : typeof value === 'string' ? value : '';
    return { kind: 'thinking', text, metadata: isRecord(part['metadata']) ? part['metadata'] : {} };
  }
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (isRecord(value)) return { kind: 'text', text: textOfPromptTree(value) };
  return { kind: 'unknown' };
}

/**
 * The text of a prompt tree, as tools written with @vscode/prompt-tsx return it: nodes with `children`,
 * leaves with `text`, and `lineBreakBefore` where one starts a line.
 */
function textOfPromptTree(tree: Record<string, unknown>): string {
  let text = '';
  const visit = (node: unknown): void => {
    if (!isRecord(node)) return;
    if (typeof node['text'] === 'string') {
      if (node['lineBreakBefore'] === true && text !== '' && !text.endsWith('\n')) text += '\n';
      text += node['text'];
    }
    if (Array.isArray(node['children'])) for (const child of node['children']) visit(child);
  };
  visit('node' in tree ? tree['node'] : tree);
  return text;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
