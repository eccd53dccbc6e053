import type { AlertRule } from '../../../config/monitoring/monitoringConfig.ts';
import { isStateAway } from '../../../state/stateStore.ts';
import type { AlertIncident, IncidentFiles, KeptIncident } from './incidentFiles.ts';
import type { IncidentReport, IncidentWord, SharedIncident, SharedIncidents } from './sharedIncidents.ts';

/** What webhooks are to be told of an incident. */
export interface Notice {
  readonly phase: 'on' | 'over';
  readonly rule: AlertRule;
  readonly incident: AlertIncident;
  /** When a server last saw it hold, in milliseconds since the epoch. */
  readonly seenAt: number;
  /** Tells webhooks of it. @returns false where this server ended before one had answered */
  tell(incident: AlertIncident): Promise<boolean>;
}

export interface SharedTellingOptions {
  shared: Pick<SharedIncidents, 'exchange'>;
  files: Pick<IncidentFiles, 'all' | 'told' | 'release' | 'reopen' | 'adopt' | 'seen'>;
  now(): number;
  /** An incident that no replica has seen for so long may be over. */
  quietMs: number;
  /** A rule that tells webhooks. */
  ruleOf(name: string): AlertRule | undefined;
  /** The end of an incident that no server of this data folder has, where it is over as this server sees it. */
  endOf(incident: AlertIncident, seenAt: number): Notice | undefined;
  failed(error: unknown): void;
}

/** A message that this server has. `told`: by itself, while the store was away. */
interface Owed { notice: Notice; state: 'due' | 'sending' | 'told'; answeredAt: number }

/** A message that the store said nothing about for so long is sent by this server itself. */
const patienceMs = 10_000;

/**
 * Decides which of several replicas tells webhooks of an incident, and of its end. The store they share gives the word; while it says
 * nothing, each replica tells by itself.
 */
export class SharedTelling {
  readonly #options: SharedTellingOptions;
  /** Messages that this data folder owes, by phase, rule and subject. */
  readonly #owed = new Map<string, Owed>();
  /** What this server could say of incidents that it saw hold at its last look. */
  #sayable = new Map<string, Notice>();

  constructor(options: SharedTellingOptions) {
    this.#options = options;
  }

  /** A look at all rules begins. */
  begin(): void {
    this.#sayable = new Map();
  }

  /** This server sees an incident hold. @param owes its data folder leaves the telling to this server */
  holds(notice: Notice, owes: boolean): void {
    this.#sayable.set(nameOf(notice), notice);
    const end = nameOf({ ...notice, phase: 'over' });
    if (this.#owed.get(end)?.state === 'due') this.#owed.delete(end);
    if (owes) this.#owe(notice);
  }

  /** An incident is over for this data folder. */
  ended(notice: Notice): void {
    this.#owed.delete(nameOf({ ...notice, phase: 'on' }));
    this.#owe(notice);
  }

  /** Speaks with the other replicas, and tells what is this server's to tell. @param isShared the configuration still names a store */
  async take(isShared: boolean): Promise<void> {
    const { ruleOf } = this.#options;
    for (const [name, { notice, state }] of this.#owed) if (state === 'due' && ruleOf(notice.rule.name) === undefined) this.#owed.delete(name);
    if (isShared) {
      try {
        await this.#exchange();
      } catch (error) {
        if (!isStateAway(error)) this.#options.failed(error);
      }
    }
    const now = this.#options.now();
    for (const owed of [...this.#owed.values()]) if (owed.state === 'due' && (!isShared || Math.abs(now - owed.answeredAt) >= patienceMs)) this.#send(owed, owed.notice.incident);
  }

  async #exchange(): Promise<void> {
    const { shared, files, now, quietMs, ruleOf } = this.#options;
    const at = now();
    const kept = files.all(at, quietMs).filter(({ incident }) => ruleOf(incident.rule) !== undefined);
    const ends = [...this.#owed.values()].filter(({ notice }) => notice.phase === 'over');
    const { words, known } = await shared.exchange([...kept.map(one => this.#reportOf(one)), ...ends.map(owed => this.#reportOfEnd(owed))], at);
    const bySubject = new Map(known.map(one => [nameOf(one), one]));
    for (const [index, one] of kept.entries()) this.#heard(one, words[index] ?? 'wait', bySubject.get(nameOf({ phase: 'on', incident: one.incident })));
    for (const [index, owed] of ends.entries()) this.#heardOfEnd(owed, words[kept.length + index] ?? 'wait');
    this.#lookAtOthers(known, kept, at);
  }

  #reportOf({ incident, seenAt, told }: KeptIncident): IncidentReport {
    const name = nameOf({ phase: 'on', incident });
    const { quietMs, ruleOf } = this.#options;
    const speaks = this.#owed.get(name)?.state === 'sending' ? 'sends' : this.#sayable.has(name) ? 'can' : 'no';
    return { phase: 'on', incident, seenAt, told, speaks, boundMs: Math.max(2 * quietMs, (ruleOf(incident.rule)?.windowMs ?? 0) + quietMs) };
  }

  #reportOfEnd({ notice: { incident, seenAt }, state }: Owed): IncidentReport {
    return { phase: 'over', incident, seenAt, told: state === 'told', speaks: state === 'sending' ? 'sends' : 'can', boundMs: this.#options.quietMs / 2 };
  }

  /** @param shared the incident as the store has it; undefined: it is over there */
  #heard(kept: KeptIncident, word: IncidentWord, shared: SharedIncident | undefined): void {
    const { files, now } = this.#options;
    const name = nameOf({ phase: 'on', incident: kept.incident });
    const owed = this.#owed.get(name);
    if (owed !== undefined) owed.answeredAt = now();
    if (shared === undefined) return;
    const told = word === 'told';
    let { incident } = kept;
    if (shared.incident.id !== incident.id) incident = files.adopt(incident, shared.incident, told);
    else if (told && !kept.told) files.told(incident);
    if (shared.seenAt > kept.seenAt + 1_000) files.seen(incident, shared.seenAt);
    if (told && owed?.state !== 'sending') this.#owed.delete(name);
    const notice = owed?.notice ?? this.#sayable.get(name);
    if (word !== 'tell' || owed?.state === 'sending' || notice === undefined) return;
    if (kept.told) files.reopen(incident);
    this.#send(this.#owe(notice), incident);
  }

  #heardOfEnd(owed: Owed, word: IncidentWord): void {
    owed.answeredAt = this.#options.now();
    if (owed.state === 'sending') return;
    if (word === 'tell' && owed.state === 'due') this.#send(owed, owed.notice.incident);
    else if (word !== 'wait') this.#owed.delete(nameOf(owed.notice));
  }

  /** Ends incidents whose replicas are gone. */
  #lookAtOthers(known: readonly SharedIncident[], kept: readonly KeptIncident[], now: number): void {
    const { quietMs, ruleOf, endOf } = this.#options;
    const own = new Set(kept.map(({ incident }) => nameOf({ phase: 'over', incident })));
    for (const shared of known) {
      const { phase, incident, seenAt, told, isClaimed } = shared;
      const name = nameOf({ phase: 'over', incident });
      if (own.has(name) || this.#owed.has(name) || ruleOf(incident.rule) === undefined) continue;
      // Replicas that had seen it are given the time to end it.
      if (phase === 'over' ? told || isClaimed : now - seenAt < 2 * quietMs) continue;
      const notice = endOf(incident, seenAt);
      if (notice !== undefined) this.#owe(notice);
    }
  }

  #owe(notice: Notice): Owed {
    const name = nameOf(notice);
    const before = this.#owed.get(name);
    if (before !== undefined) return before;
    const owed: Owed = { notice, state: 'due', answeredAt: this.#options.now() };
    this.#owed.set(name, owed);
    return owed;
  }

  #send(owed: Owed, incident: AlertIncident): void {
    const { files, failed } = this.#options;
    const { notice } = owed;
    owed.state = 'sending';
    void notice.tell(incident).then(isDone => {
      if (!isDone) {
        owed.state = 'due';
        if (notice.phase === 'on') files.release(incident);
      } else if (notice.phase === 'on') {
        this.#owed.delete(nameOf(notice));
        files.told(incident);
      } else owed.state = 'told';
    }).catch(failed);
  }
}

function nameOf({ phase, incident: { rule, subject } }: Pick<Notice, 'phase' | 'incident'>): string {
  return `${phase}\n${rule}\n${subject}`;
}
