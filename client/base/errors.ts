/** An error whose message is one sentence for the user, with the next action where there is one. */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
  }
}

/** A button under a message: what it says, and the command it runs. */
export interface MessageAction {
  title: string;
  command: string;
  argument?: unknown;
}

/** A command cannot go on until the user does something else first. Nothing has failed; the actions lead on. */
export class NextStep extends UserError {
  readonly actions: readonly MessageAction[];

  constructor(message: string, ...actions: readonly MessageAction[]) {
    super(message);
    this.name = 'NextStep';
    this.actions = actions;
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
