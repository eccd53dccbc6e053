import { randomBytes } from 'node:crypto';
import type { Subscription } from '../../../base/emitter.ts';
import { Guard } from '../../../base/guarded.ts';
import type { Config, EndpointConfig } from '../../../config/config.ts';
import type { AttemptEnded } from '../../../exchange/events.ts';
import { networkKindOf } from '../../../health/network/networkState.ts';
import { mayBeLink } from '../../../health/network/networkTracker.ts';
import { fingerprintsOf, type KeyFingerprint } from '../../../keys/keyFingerprints.ts';
import type { KeyNames } from '../../../keys/keyPool.ts';
import type { PeerNote } from '../../../ledger/peerNotes.ts';
import type { HealthEvent } from '../../../ledger/ports.ts';
import { isStateAway } from '../../../state/stateStore.ts';
import { promptTokens } from '../../../api/usage.ts';
import type { ReplicaAttempt } from '../../peerSync.ts';
import type { ReplicaSources } from '../sources.ts';
import type { StoreClock } from '../storeClock.ts';
import { subjectOf, type AttemptNews, type NewsItem, type StandingNews } from './newsItems.ts';
import { newsChannel, NewsStore, type Batch } from './newsStore.ts';
import { Outbox } from './outbox.ts';
import { placeOf } from './places.ts';

/** What is found out is told after so long, together with what follows meanwhile: each batch is heard by all, so many replicas tell less often. */
const collect = { leastMs: 100, msAReplica: 5, mostMs: 500 } as const;
/** What is heard is read after so long, together with what follows meanwhile. */
const hearMs = 50;
/** A replica that starts reads what was found out for so long before. */
const pastMs = 600_000;
/** What could not be told for so long says nothing of now. */
const staleMs = 60_000;
/** Another endpoint answered so lately that the way out of this machine is well. */
const answeredLatelyMs = 30_000;
/** Notes of this data folder that are told again when the store is there. */
const retoldAtOnce = 100;
const retoldOfMs = 86_400_000;

/** How many news were told, heard and dropped. `refused`: another version, or a wrong form. `elsewhere`: of an endpoint or key that this replica does not have. */
export interface NewsFigures { told: number; heard: number; refused: number; elsewhere: number; dropped: number }

/**
 * What replicas on several machines find out about endpoints and keys. It is told off the way of requests, in batches, and heard within a
 * second; a replica that starts or reconnects reads what stands and what was told lately.
 */
export class NewsDesk {
  readonly #sources: ReplicaSources;
  readonly #clock: StoreClock;
  readonly #news: NewsStore;
  readonly #outbox = new Outbox();
  readonly #guard: Guard;
  readonly #figures = { told: 0, heard: 0, refused: 0, elsewhere: 0 };
  readonly #ends: Subscription[];
  /** When an endpoint last answered here. */
  readonly #answeredAt = new Map<string, number>();
  /** What the keys of each endpoint are known by, here and among replicas. */
  readonly #keys = new Map<string, readonly KeyNames[]>();
  /** The salt that was agreed on, or that this replica proposes. */
  #salt: Buffer = randomBytes(32);
  #fingerprint: KeyFingerprint | undefined;
  #places: { readonly of: Config; readonly byName: ReadonlyMap<string, string> } | undefined;
  #tellTimer: NodeJS.Timeout | undefined;
  #hearTimer: NodeJS.Timeout | undefined;
  #isTelling = false;
  #isHearing = false;
  #hasMore = false;
  #isClosed = false;

  constructor(sources: ReplicaSources, clock: StoreClock) {
    const { store, log, events } = sources;
    this.#sources = sources;
    this.#clock = clock;
    this.#news = new NewsStore(store, clock, () => sources.clock.now());
    this.#guard = new Guard('The news of other replicas', log);
    this.#ends = [
      events.subscribe({ name: 'The news for other replicas', onAttemptEnded: event => { this.#ended(event); } }),
      store.subscribe(newsChannel, by => { if (by !== store.replica) this.#hearSoon(); }),
      store.changes(change => {
        if (change === 'emptied') this.#news.forget();
        if (change === 'up' || (change === 'emptied' && store.isUp)) this.#guard.start(() => this.#catchUp());
        if (change === 'subscribed') this.#hearSoon();
      }),
    ];
    if (store.isUp) this.#guard.start(() => this.#catchUp());
  }

  get figures(): NewsFigures {
    return { ...this.#figures, dropped: this.#outbox.dropped };
  }

  /** About once a second: what was published while messages were lost is read. */
  tick(): void {
    if (this.#sources.store.isUp) this.#hearSoon();
  }

  /** A key, a limit or a refused part was found out about here. */
  note(note: PeerNote): void {
    const item = this.#noteItem(note);
    if (item !== undefined) this.#add(item);
  }

  /** A probe ended here. */
  probe({ endpoint: name, at, ok, failureClass, latencyMs }: HealthEvent): void {
    const place = this.#placeOf(name);
    if (place === undefined) return;
    if (ok) this.#answeredAt.set(name, at);
    const found = failureClass as AttemptNews['failureClass'];
    if (!ok && (found === undefined || (mayBeLink({ failureClass: found }) && !this.#isWayWell(name, at)))) return;
    this.#add({ kind: 'probe', endpoint: name, place, at: this.#clock.toStore(at), ...(ok ? {} : { failureClass: found }), ...(latencyMs === undefined ? {} : { latencyMs }) });
  }

  /** Tells what is left, and ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#tellTimer);
    clearTimeout(this.#hearTimer);
    for (const end of this.#ends) end.dispose();
    if (this.#sources.store.isUp && !this.#outbox.isEmpty) await this.#tell();
  }

  #ended({ attempt: { target, exchangeId, number, keyId, startedAt }, record, verdict, error, status, timedOut, at }: AttemptEnded): void {
    const { endpoint, model } = target;
    const failureClass = error?.failureClass;
    if (verdict === 'abandoned' || verdict === 'beaten' || record.drill === true || failureClass === 'local' || failureClass === 'cancelled') return;
    const place = this.#placeOf(endpoint);
    if (place === undefined) return;
    const networkKind = error === undefined ? undefined : networkKindOf(error.systemCode);
    if (status !== undefined) this.#answeredAt.set(endpoint, at);
    // What the way out of this machine may be to blame for is told only while it is known to be well.
    if (failureClass !== undefined && mayBeLink({ failureClass, code: error?.code, status, networkKind }) && !this.#isWayWell(endpoint, at)) return;
    const key = this.#sharedKey(endpoint, keyId === undefined ? '' : this.#sources.keys.fingerprintOf(endpoint, keyId));
    const { usage, firstTokenMs, totalMs } = record;
    this.#add({
      kind: 'attempt', endpoint, place, model, id: `${exchangeId}#${String(number)}`, startedAt: this.#clock.toStore(startedAt), at: this.#clock.toStore(at),
      tokens: Math.max(0, Math.round((promptTokens(usage) ?? 0) + (usage.outputTokens ?? 0))), totalMs: Math.max(0, totalMs),
      ...present({ key: key === '' ? undefined : key, failureClass, code: error?.code, scope: error?.scope, phase: timedOut, status, retryAfterMs: error?.retryAfterMs, firstTokenMs }),
    });
  }

  /** The machine's own link is not what keeps an endpoint from being reached: another one has just answered. */
  #isWayWell(endpoint: string, at: number): boolean {
    if (this.#sources.health.networkTrouble() !== undefined) return false;
    for (const [name, answeredAt] of this.#answeredAt) if (name !== endpoint && at - answeredAt < answeredLatelyMs) return true;
    return false;
  }

  #add(item: NewsItem): void {
    this.#outbox.add(item);
    if (this.#sources.store.isUp) this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#tellTimer !== undefined || this.#isClosed) return;
    this.#tellTimer = setTimeout(this.#guard.wrap(() => {
      this.#tellTimer = undefined;
      return this.#tell();
    }), Math.min(collect.mostMs, Math.max(collect.leastMs, this.#sources.store.replicas * collect.msAReplica)));
    this.#tellTimer.unref();
  }

  async #tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    let batch: Batch | undefined;
    try {
      while (!this.#outbox.isEmpty && this.#sources.store.isUp) {
        batch = this.#outbox.take();
        await this.#news.publish(batch);
        this.#figures.told += batch.items.length;
        batch = undefined;
      }
    } catch (error) {
      // Replicas drop what they have heard before, so that an answer that was lost does no harm.
      if (batch !== undefined) this.#outbox.putBack(batch);
      if (!isStateAway(error)) throw error;
      if (this.#sources.store.isUp) this.#tellSoon();
    } finally {
      this.#isTelling = false;
    }
  }

  #hearSoon(): void {
    if (this.#hearTimer !== undefined || this.#isClosed) return;
    this.#hearTimer = setTimeout(this.#guard.wrap(() => {
      this.#hearTimer = undefined;
      return this.#hear();
    }), hearMs);
    this.#hearTimer.unref();
  }

  async #hear(): Promise<void> {
    if (this.#isHearing || this.#fingerprint === undefined) {
      this.#hasMore = true;
      return;
    }
    this.#isHearing = true;
    try {
      do {
        this.#hasMore = false;
        const { items, refused, more } = await this.#news.read(pastMs);
        this.#take(items, refused);
        this.#hasMore ||= more;
      } while (this.#hasMore && this.#sources.store.isUp);
    } catch (error) {
      if (!isStateAway(error)) throw error;
    } finally {
      this.#isHearing = false;
    }
  }

  /** The store is there: what stands is read, and what this data folder knows is told again, because the store may have lost it. */
  async #catchUp(): Promise<void> {
    const { store, ledger, clock } = this.#sources;
    try {
      this.#salt = await this.#news.salt(this.#salt);
      this.#fingerprint = fingerprintsOf(this.#salt);
      this.#keys.clear();
      this.#outbox.forgetBefore(this.#clock.toStore(clock.now() - staleMs));
      const { items, refused } = await this.#news.readStanding();
      this.#take(items, refused);
      if (ledger.isOpen) await this.#tellAgain((await ledger.notes()).filter(({ at }) => at > clock.now() - retoldOfMs));
      await this.#hear();
      if (!this.#outbox.isEmpty && store.isUp) this.#tellSoon();
    } catch (error) {
      if (!isStateAway(error)) throw error;
    }
  }

  /** Standing news of this data folder, which replicas that listen have heard before. */
  async #tellAgain(notes: readonly PeerNote[]): Promise<void> {
    const items = notes.flatMap(note => this.#noteItem(note) ?? []);
    for (let start = 0; start < items.length; start += retoldAtOnce) {
      await this.#news.publish({ items: [], standing: items.slice(start, start + retoldAtOnce).map(item => ({ subject: subjectOf(item), at: item.at, item })) });
    }
  }

  #take(items: readonly NewsItem[], refused: number): void {
    this.#figures.refused += refused;
    const attempts: ReplicaAttempt[] = [];
    const probes: HealthEvent[] = [];
    const notes: PeerNote[] = [];
    const { clock, peers } = this.#sources;
    const now = clock.now();
    for (const item of items) {
      if (this.#placeOf(item.endpoint) !== item.place && item.kind !== 'repair') {
        this.#figures.elsewhere += 1;
        continue;
      }
      // A clock that runs ahead makes no news of the future.
      const at = Math.min(this.#clock.fromStore(item.at), now);
      switch (item.kind) {
        case 'attempt': {
          const keyId = this.#keysOf(item.endpoint).find(({ other }) => other === item.key)?.handle;
          const { kind: _kind, place: _place, key, ...rest } = item;
          attempts.push({ ...rest, at, startedAt: Math.min(this.#clock.fromStore(item.startedAt), at), keyId, isForeignKey: key !== undefined && keyId === undefined });
          break;
        }
        case 'probe':
          probes.push({ kind: 'probe', endpoint: item.endpoint, at, ok: item.failureClass === undefined, failureClass: item.failureClass, latencyMs: item.latencyMs });
          break;
        default: {
          const note = this.#noteOf(item, at);
          if (note === undefined) this.#figures.elsewhere += 1;
          else notes.push(note);
        }
      }
    }
    this.#figures.heard += attempts.length + probes.length + notes.length;
    if (attempts.length + probes.length + notes.length > 0) peers.take({ attempts, probes, notes });
  }

  /** @returns undefined where the endpoint or the key is gone, or nobody can know yet what the key is known by */
  #noteItem(note: PeerNote): StandingNews | undefined {
    const { endpoint, at } = note;
    const when = this.#clock.toStore(at);
    const until = (moment: number | undefined): number | undefined => (moment === undefined ? undefined : this.#clock.toStore(moment));
    const place = this.#placeOf(endpoint);
    if (note.kind === 'repair') {
      return place === undefined ? undefined : { kind: 'repair', endpoint, place: note.place, model: note.model, repair: note.repair, at: when, ...present({ until: until(note.until) }) };
    }
    const key = this.#sharedKey(endpoint, note.keyFingerprint);
    if (place === undefined || key === undefined) return undefined;
    const about = { endpoint, place, key, at: when, ...present({ model: note.model }) };
    return note.kind === 'state'
      ? { kind: 'state', ...about, state: note.state, ...present({ until: until(note.until) }) }
      : { kind: note.kind, ...about, remaining: note.remaining, ...present({ limit: note.limit, resetAt: until(note.resetAt) }) };
  }

  #noteOf(item: StandingNews, at: number): PeerNote | undefined {
    const { endpoint } = item;
    const until = (moment: number | undefined): number | undefined => (moment === undefined ? undefined : this.#clock.fromStore(moment));
    // A repair names the place itself.
    if (item.kind === 'repair') return { kind: 'repair', endpoint, place: item.place, model: item.model, repair: item.repair, at, until: until(item.until) };
    const keyFingerprint = item.key === '' ? '' : this.#keysOf(endpoint).find(({ other }) => other === item.key)?.fingerprint;
    if (keyFingerprint === undefined) return undefined;
    const about = { endpoint, keyFingerprint, model: item.model, at };
    return item.kind === 'state'
      ? { kind: 'state', ...about, state: item.state, until: until(item.until) }
      : { kind: item.kind, ...about, remaining: item.remaining, limit: item.limit, resetAt: until(item.resetAt) };
  }

  /** What a key is known by among replicas; undefined where that is not agreed yet, or there is no such key. */
  #sharedKey(endpoint: string, fingerprint: string): string | undefined {
    return fingerprint === '' ? '' : this.#keysOf(endpoint).find(key => key.fingerprint === fingerprint)?.other;
  }

  #keysOf(endpoint: string): readonly KeyNames[] {
    if (this.#fingerprint === undefined) return [];
    let keys = this.#keys.get(endpoint);
    if (keys === undefined) this.#keys.set(endpoint, keys = this.#sources.keys.fingerprintsWith(endpoint, this.#fingerprint));
    return keys;
  }

  #placeOf(endpoint: string): string | undefined {
    const config = this.#sources.config();
    if (this.#places?.of !== config) {
      this.#places = { of: config, byName: new Map([...config.endpoints].map(([name, one]: [string, EndpointConfig]) => [name, placeOf(one)])) };
      this.#keys.clear();
      for (const name of this.#answeredAt.keys()) if (!config.endpoints.has(name)) this.#answeredAt.delete(name);
    }
    return this.#places.byName.get(endpoint);
  }
}

/** The fields that have a value. */
function present<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };
}
