/**
 * Characters that a terminal, a log or a notification obeys instead of showing: C0 and C1 controls, DEL, line and
 * paragraph separators, and marks that turn the direction of text around.
 */
const obeyed = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The text on one line, with what would be obeyed written as an escape such as `\n` or `\x1b`. */
export function logText(text: string): string {
  return text.replace(obeyed, escapeOf);
}

/** A text of several lines, each as `logText` writes it. */
export function logTextLines(text: string): string {
  return text.split('\n').map(logText).join('\n');
}

/** A stack or another text of several lines: each is escaped, and those after the first are indented, so that none looks like a line of the log. */
export function logLines(text: string): string {
  return text.split('\n').map((line, index) => (index === 0 ? logText(line) : `    ${logText(line.trimStart())}`)).join('\n');
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  switch (character) {
    case '\n': return '\\n';
    case '\r': return '\\r';
    case '\t': return '\\t';
    default: return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  }
}
