import type * as vscode from 'vscode';

/**
 * An event source with the editor's own `Event` shape, for classes that must also run outside the editor.
 * A listener that throws does not stop the others; its error surfaces as an uncaught one.
 */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>();

  readonly event: vscode.Event<T> = (listener, thisArgument, disposables) => {
    const bound = (value: T): void => { listener.call(thisArgument, value); };
    this.#listeners.add(bound);
    const subscription = { dispose: () => { this.#listeners.delete(bound); } };
    disposables?.push(subscription);
    return subscription;
  };

  fire(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
  }

  /** How many listeners there are; lets a test notice a leak. */
  get listenerCount(): number { return this.#listeners.size; }

  dispose(): void { this.#listeners.clear(); }
}
