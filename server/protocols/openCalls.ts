/** A tool call that waits for its result. */
export interface WaitingCall { readonly id: string; readonly name: string }

interface Entry { call: WaitingCall; answered: boolean }
/** Calls in the order they came; those before `next` are answered. */
interface Queue { entries: Entry[]; next: number }

/** Calls that wait for their results, in a protocol that may name them by id, by tool or not at all. Each question is one look-up. */
export class OpenCalls {
  readonly #all: Queue = { entries: [], next: 0 };
  readonly #byId = new Map<string, Queue>();
  readonly #byName = new Map<string, Queue>();

  add(call: WaitingCall): void {
    const entry: Entry = { call, answered: false };
    this.#all.entries.push(entry);
    queueOf(this.#byId, call.id).entries.push(entry);
    queueOf(this.#byName, call.name).entries.push(entry);
  }

  /** Takes the call a result is for: by id; else the first unanswered one of the name; else, without a name, the first of all. */
  take(id: string | undefined, name: string | undefined): WaitingCall | undefined {
    const named = id === undefined ? undefined : firstOf(this.#byId.get(id));
    const entry = named ?? firstOf(name === undefined ? this.#all : this.#byName.get(name));
    if (entry !== undefined) entry.answered = true;
    return entry?.call;
  }
}

function queueOf(queues: Map<string, Queue>, key: string): Queue {
  let queue = queues.get(key);
  if (queue === undefined) queues.set(key, queue = { entries: [], next: 0 });
  return queue;
}

function firstOf(queue: Queue | undefined): Entry | undefined {
  if (queue === undefined) return undefined;
  while (queue.entries[queue.next]?.answered === true) queue.next += 1;
  return queue.entries[queue.next];
}
