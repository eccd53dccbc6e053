/** The share of watched time in which an endpoint was not down. */
export interface Uptime {
  /** Says whether it is down from `at` on. Cheap when nothing changed. */
  mark(down: boolean, at: number): void;
  /** 0..1; absent before the first mark. */
  share(now: number): number | undefined;
}

/**
 * Watching begins with the first mark: what was before is unknown, not up.
 *
 * @param startedAt marks from before this moment (what other windows saw) begin the watch only here
 */
export function createUptime(startedAt: number): Uptime {
  let watchedSince: number | undefined;
  let downSince: number | undefined;
  let downBeforeMs = 0;
  return {
    mark(down, at) {
      const when = Math.max(at, startedAt);
      watchedSince ??= when;
      if (down && downSince === undefined) {
        downSince = when;
      } else if (!down && downSince !== undefined) {
        downBeforeMs += Math.max(0, when - downSince);
        downSince = undefined;
      }
    },
    share(now) {
      if (watchedSince === undefined) return undefined;
      const watchedMs = now - watchedSince;
      if (watchedMs <= 0) return downSince === undefined ? 1 : 0;
      const downMs = downBeforeMs + (downSince === undefined ? 0 : Math.max(0, now - downSince));
      return Math.min(1, Math.max(0, 1 - downMs / watchedMs));
    },
  };
}
