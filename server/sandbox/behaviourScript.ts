import type { SandboxBehaviour } from './sandboxBehaviour.ts';

const wellBehaved: SandboxBehaviour = { type: 'answer' };

/**
 * What the provider does next: a list is used up one behaviour for each generating request, after which the provider
 * answers well again; a single behaviour stays until changed. `refuse` stays in either case, as nothing arrives to use it up.
 */
export class BehaviourScript {
  #queue: SandboxBehaviour[] = [];
  #standing: SandboxBehaviour = wellBehaved;

  set(script: SandboxBehaviour | readonly SandboxBehaviour[]): void {
    const list = 'type' in script ? [] : [...script];
    this.#queue = list;
    this.#standing = 'type' in script ? script : wellBehaved;
  }

  /** What the next request will meet. */
  get next(): SandboxBehaviour {
    return this.#queue[0] ?? this.#standing;
  }

  /** The behaviour of a generating request that has arrived. */
  take(): SandboxBehaviour {
    const { next } = this;
    if (next.type !== 'refuse') this.#queue.shift();
    return next;
  }

  /** The behaviour of any other request: the standing one when its scope says so. */
  get forOtherCalls(): SandboxBehaviour {
    const { next } = this;
    return 'scope' in next && next.scope === 'all' ? next : wellBehaved;
  }

  /** Ends a `refuse` that holds. */
  revive(): void {
    if (this.#queue[0]?.type === 'refuse') this.#queue.shift();
    else if (this.#standing.type === 'refuse') this.#standing = wellBehaved;
  }
}
