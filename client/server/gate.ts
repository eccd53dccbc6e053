/**
 * Callers wait at the gate until it opens with a value or closes with an error. It can be reset; callers that
 * wait during a reset wait for the next opening.
 */
export class Gate<T> {
  #state: { kind: 'waiting' } | { kind: 'open'; value: T } | { kind: 'closed'; error: Error } = { kind: 'waiting' };
  #waiting: { resolve: (value: T) => void; reject: (error: Error) => void }[] = [];

  wait(): Promise<T> {
    switch (this.#state.kind) {
      case 'open': return Promise.resolve(this.#state.value);
      case 'closed': return Promise.reject(this.#state.error);
      case 'waiting': return new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }); });
    }
  }

  open(value: T): void {
    this.#state = { kind: 'open', value };
    for (const waiter of this.#waiting.splice(0)) waiter.resolve(value);
  }

  close(error: Error): void {
    this.#state = { kind: 'closed', error };
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
  }

  reset(): void { this.#state = { kind: 'waiting' }; }
}
