/** An error whose message is one sentence for the user, with the next action where there is one. */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A plain error without a stack: VS Code's chat prints the stack of anything else into the conversation.
 */
export function plainError(message: string): Error {
  const error = new Error(message);
  delete error.stack;
  Object.defineProperty(error, 'stack', { value: undefined, configurable: true, writable: true });
  return error;
}
