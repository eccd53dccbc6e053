import type { Downtime } from '../../api/status.ts';

/** The share of watched time in which an endpoint was not down. */
export interface Uptime {
  /**
   * Says whether it is down from `at` on. Cheap when nothing changed.
   * @param down undefined: unknown, because the machine itself is offline; such time counts neither way
   */
  mark(down: boolean | undefined, at: number): void;
  /** The time between counts neither way, whatever was marked in it: the machine slept, or was cut off. */
  skip(from: number, to: number): void;
  /** 0..1; absent before the first mark. */
  share(now: number): number | undefined;
  /** How long it was down while it was watched, in figures that stand still while nothing changes; absent before the first mark. */
  downtime(): Downtime | undefined;
  /** Everything it knows, as a value; `restore` puts it back. */
  snapshot(): UptimeState;
  restore(state: UptimeState): void;
}

export interface UptimeState {
  /** When the first mark was made. */
  readonly watchedSince?: number | undefined;
  readonly upMs: number;
  readonly downMs: number;
  /** What it is since the moment given; absent before the first mark. */
  readonly current?: { readonly state: 'up' | 'down' | 'unwatched'; readonly since: number } | undefined;
}

/**
 * Watching begins with the first mark: what was before is unknown, not up.
 *
 * @param startedAt marks from before this moment (what peers observed) begin the watch only here
 */
export function createUptime(startedAt: number): Uptime {
  let kept: UptimeState = { upMs: 0, downMs: 0 };

  /** The sums up to `at`. */
  function upTo(at: number): { upMs: number; downMs: number } {
    const { upMs, downMs, current } = kept;
    const pastMs = current === undefined ? 0 : Math.max(0, at - current.since);
    return { upMs: upMs + (current?.state === 'up' ? pastMs : 0), downMs: downMs + (current?.state === 'down' ? pastMs : 0) };
  }

  return {
    mark(down, at) {
      const state = down === undefined ? 'unwatched' : down ? 'down' : 'up';
      if (kept.current?.state === state) return;
      const when = Math.max(at, startedAt);
      kept = { ...upTo(when), watchedSince: kept.watchedSince ?? when, current: { state, since: when } };
    },
    skip(from, to) {
      const { current } = kept;
      if (current === undefined) return;
      // A "down" that began within the span was the machine's.
      const state = current.state === 'down' && current.since >= from ? 'unwatched' : current.state;
      kept = { ...upTo(Math.min(from, to)), watchedSince: kept.watchedSince, current: { state, since: Math.max(to, startedAt) } };
    },
    share(now) {
      const { current } = kept;
      if (current === undefined) return undefined;
      const { upMs, downMs } = upTo(now);
      if (upMs + downMs > 0) return upMs / (upMs + downMs);
      return current.state === 'unwatched' ? undefined : current.state === 'up' ? 1 : 0;
    },
    downtime() {
      const { watchedSince, upMs, downMs, current } = kept;
      if (watchedSince === undefined) return undefined;
      return { watchedSince, pastMs: downMs, ...(current?.state === 'down' ? { downSince: current.since } : {}), upMs, ...(current?.state === 'up' ? { upSince: current.since } : {}) };
    },
    snapshot: () => kept,
    restore(state) { kept = state; },
  };
}
