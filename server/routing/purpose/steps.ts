/** One step of a conversation, as far as routes go by it. Text and calls are parts of a prompt: they are read and kept nowhere. */
export type Step =
  /** What a person, or an agent in the place of one, asks for. */
  | { readonly type: 'asked'; readonly text: string }
  /** A tool call, with its name and arguments as one text. */
  | { readonly type: 'called'; readonly call: string }
  /** The result of a tool call. */
  | { readonly type: 'returned'; readonly failed: boolean };

/** The end of a conversation: the last thing that was asked, and what followed it. */
export interface RecentSteps {
  /** The beginning of the instructions. */
  readonly instructions: string;
  /** In their order; the first is what was asked, where that is not too far back. */
  readonly steps: readonly Step[];
}

const failedResult = /^[\s[("'<{]{0,8}(?:\w{0,40}(?:error|exception)|fatal|failed|failure|traceback|command failed|permission denied)\b/i;
const exitCode = /exit(?:ed with)? ?(?:code|status)['":]{0,2} {0,2}[1-9]|exit_code['"]{0,2}: {0,2}[1-9]/i;

/** Whether the result of a tool says that the call failed. @param text its beginning */
export function looksFailed(text: string): boolean {
  const head = text.slice(0, 400);
  return failedResult.test(head) || exitCode.test(head);
}

/** What makes a loop stuck, as a sentence without its end; undefined where it goes on. */
export function stallOf(steps: readonly Step[]): string | undefined {
  const calls: string[] = [];
  let failures = 0;
  let failuresInRow = 0;
  let results = 0;
  for (let index = steps.length - 1; index >= 0 && results < stallWindow; index--) {
    const step = steps[index];
    if (step?.type === 'called') calls.push(step.call);
    if (step?.type !== 'returned') continue;
    results++;
    if (!step.failed) continue;
    failures++;
    if (failures === results) failuresInRow = failures;
  }
  if (failuresInRow >= stallCount) return `the last ${failuresInRow} tool calls failed`;
  if (calls.length >= stallCount && calls.slice(0, stallCount).every(call => call === calls[0])) return 'the same tool call was made three times';
  return failures >= stallCount + 1 ? `${failures} of the last ${results} tool calls failed` : undefined;
}

/** So many equal calls, or failures in a row, are a stall. */
const stallCount = 3;
/** So many results are looked at. */
const stallWindow = 6;
