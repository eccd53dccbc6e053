/** Something that is to happen at a moment, unless it is taken back before. */
export interface Deadline {
  /** When it is due: monotonic clock, milliseconds. Written by the list alone, as the two neighbours are. */
  dueAt: number;
  before: Deadline | undefined;
  behind: Deadline | undefined;
  /** It is due, and has left the list. */
  onDue(): void;
}

/** The longest time that a timer of Node takes. */
const longestTimerMs = 2 ** 31 - 1;
/** A timer may fire so much before the moment it was set for, and a deadline may be due so much before its own. */
export const toleranceMs = 0.5;
/** All deadlines are looked at when the timer fires. Of more of them it fires less often: a millisecond apart for so many. */
const lookedAtEachMs = 1_000;

/**
 * Deadlines of which nearly all are taken back before they are due: one timer of Node for all of them, which is set again only
 * where a deadline comes before all others. A timer of Node for each request would be set and cleared several times: that costs
 * more than reading its answer, because Node keeps a list of timers for each length and makes one where there is none.
 */
export class Deadlines {
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires: no later than the first deadline is due. */
  #firesAt = Infinity;

  /** Sets a deadline; one that is in the list is moved. @param now as of `performance.now()` */
  add(deadline: Deadline, dueAt: number, now: number): void {
    if (this.#holds(deadline)) this.remove(deadline);
    deadline.dueAt = dueAt;
    deadline.before = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.behind = deadline;
    this.#last = deadline;
    if (dueAt < this.#firesAt) this.#arm(dueAt, now);
  }

  /** Takes back a deadline that is in the list. */
  remove(deadline: Deadline): void {
    const { before, behind } = deadline;
    if (before === undefined) this.#first = behind;
    else before.behind = behind;
    if (behind === undefined) this.#last = before;
    else behind.before = before;
    // What is gone keeps nothing alive.
    deadline.before = undefined;
    deadline.behind = undefined;
    if (this.#first === undefined) this.#disarm();
  }

  #arm(at: number, now: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = at;
    this.#timer = setTimeout(fire, Math.min(longestTimerMs, Math.max(1, Math.ceil(at - now - toleranceMs))), this);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#firesAt = Infinity;
  }

  /** The timer has fired. */
  fired(): void {
    this.#timer = undefined;
    this.#firesAt = Infinity;
    const now = performance.now();
    const due: Deadline[] = [];
    let next = Infinity;
    let count = 0;
    for (let deadline = this.#first; deadline !== undefined; deadline = deadline.behind) {
      count += 1;
      if (deadline.dueAt <= now + toleranceMs) due.push(deadline);
      else if (deadline.dueAt < next) next = deadline.dueAt;
    }
    if (next < Infinity) this.#arm(Math.max(next, now + count / lookedAtEachMs), now);
    this.#run(due, now);
  }

  /** What one throws does not keep the others from happening. */
  #run(due: readonly Deadline[], now: number): void {
    for (const [index, deadline] of due.entries()) {
      // One that was due may take back others, and move them.
      if (!this.#holds(deadline) || deadline.dueAt > now + toleranceMs) continue;
      this.remove(deadline);
      try {
        deadline.onDue();
      } catch (error) {
        setImmediate(() => { this.#run(due.slice(index + 1), now); });
        throw error;
      }
    }
  }

  #holds(deadline: Deadline): boolean {
    return deadline.before !== undefined || this.#first === deadline;
  }
}

function fire(deadlines: Deadlines): void {
  deadlines.fired();
}

/** Those of requests under way. */
export const requestDeadlines = new Deadlines();
