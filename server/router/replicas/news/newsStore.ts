import type { StateReply, StateScript, StateStore } from '../../../state/stateStore.ts';
import type { StoreClock } from '../storeClock.ts';
import { newsVersion, readItems, readStanding, standingText, type NewsItem } from './newsItems.ts';

/** So many batches are kept for replicas that start or reconnect. */
const mostBatches = 2_000;
/** So many subjects of standing news are kept; of more the oldest go. */
const mostSubjects = 5_000;
/** Batches that are read at once. */
const page = 50;
/** News of a fleet that is gone are forgotten, in seconds. */
const streamKeptS = 900;
const standingKeptS = 7 * 86_400;

/** A batch of news, and what stands until later news of its subject. Moments are the store's. */
export interface Batch {
  readonly items: readonly NewsItem[];
  readonly standing: readonly { readonly subject: string; readonly at: number; readonly item: NewsItem }[];
}

/** What was read: items of other replicas in the order of the store. */
export interface ReadNews { readonly items: readonly NewsItem[]; readonly refused: number; readonly more: boolean }

/** KEYS: stream, standing, ages. ARGV: version, replica, batch, most batches, seconds of stream, most subjects, seconds of standing, then subject, moment and text of each. */
const publishScript: StateScript = {
  name: 'publish news',
  source: `
if ARGV[3] ~= '[]' then
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'v', ARGV[1], 'by', ARGV[2], 'b', ARGV[3])
  redis.call('EXPIRE', KEYS[1], ARGV[5])
end
for i = 8, #ARGV, 3 do
  local known = redis.call('ZSCORE', KEYS[3], ARGV[i])
  if not known or tonumber(known) <= tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 2])
    redis.call('ZADD', KEYS[3], ARGV[i + 1], ARGV[i])
  end
end
if #ARGV > 7 then
  local extra = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[6])
  if extra > 0 then
    local gone = redis.call('ZPOPMIN', KEYS[3], extra)
    for i = 1, #gone, 2 do redis.call('HDEL', KEYS[2], gone[i]) end
  end
  redis.call('EXPIRE', KEYS[2], ARGV[7])
  redis.call('EXPIRE', KEYS[3], ARGV[7])
end
return redis.call('TIME')`,
};

/** KEYS: stream. ARGV: id of the last batch that was read (empty: those of the latest so many milliseconds), that time, page. */
const readScript: StateScript = {
  name: 'read news',
  source: `
local now = redis.call('TIME')
local from = ARGV[1]
if ARGV[1] == '' or tonumber(string.match(ARGV[1], '^%d+')) > now[1] * 1000 + 1000 then
  from = string.format('%.0f', math.max(0, now[1] * 1000 - tonumber(ARGV[2])))
end
local found = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[3])
local out = {now[1], now[2]}
for _, entry in ipairs(found) do
  local v, by, b = '', '', ''
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'v' then v = fields[i + 1] elseif fields[i] == 'by' then by = fields[i + 1] elseif fields[i] == 'b' then b = fields[i + 1] end
  end
  if entry[1] ~= ARGV[1] then out[#out + 1] = {entry[1], v, by, b} end
end
return out`,
};

/** KEYS: standing. */
const standingScript: StateScript = { name: 'read standing news', source: `return {redis.call('TIME'), redis.call('HVALS', KEYS[1])}` };

/** KEYS: salt. ARGV: one to take where there is none. */
const saltScript: StateScript = { name: 'agree on a salt', source: `redis.call('SET', KEYS[1], ARGV[1], 'NX') return redis.call('GET', KEYS[1])` };

const keys = { stream: 'news', standing: 'news:standing', ages: 'news:ages', salt: 'news:salt' } as const;
/** On this channel replicas say that there are news. */
export const newsChannel = 'news';

/** The news of all replicas in the store. */
export class NewsStore {
  readonly #store: StateStore;
  readonly #clock: StoreClock;
  readonly #now: () => number;
  /** The last batch that was read. */
  #last = '';

  constructor(store: StateStore, clock: StoreClock, now: () => number) {
    this.#store = store;
    this.#clock = clock;
    this.#now = now;
  }

  /** Makes a batch known. @throws StateAwayError */
  async publish({ items, standing }: Batch): Promise<void> {
    const sentAt = this.#now();
    const noted = standing.flatMap(({ subject, at, item }) => [subject, at, standingText(item)]);
    const answered = this.#store.run(publishScript, [keys.stream, keys.standing, keys.ages], [newsVersion, this.#store.replica, JSON.stringify(items), mostBatches, streamKeptS, mostSubjects, standingKeptS, ...noted]);
    this.#sample(await answered, sentAt);
    if (items.length > 0) await this.#store.publish(newsChannel, this.#store.replica);
  }

  /** The next page of what other replicas found out since the last call. @param pastMs of how long ago, where this is the first call @throws StateAwayError */
  async read(pastMs: number): Promise<ReadNews> {
    const sentAt = this.#now();
    const reply = await this.#store.run(readScript, [keys.stream], [this.#last, pastMs, page + 1]);
    if (!Array.isArray(reply)) return { items: [], refused: 0, more: false };
    const [seconds, microseconds, ...batches] = reply as readonly StateReply[];
    this.#sample([seconds ?? null, microseconds ?? null], sentAt);
    const items: NewsItem[] = [];
    let refused = 0;
    for (const batch of batches) {
      const [id, version, by, text] = Array.isArray(batch) ? batch as readonly StateReply[] : [];
      if (typeof id === 'string') this.#last = id;
      if (by === this.#store.replica) continue;
      const read = readItems(String(version), String(text));
      items.push(...read.items);
      refused += read.refused;
    }
    return { items, refused, more: batches.length >= page };
  }

  /** The latest news of every subject. @throws StateAwayError */
  async readStanding(): Promise<Omit<ReadNews, 'more'>> {
    const sentAt = this.#now();
    const reply = await this.#store.run(standingScript, [keys.standing], []);
    const [time, texts] = Array.isArray(reply) ? reply as readonly StateReply[] : [];
    this.#sample(time ?? null, sentAt);
    const items: NewsItem[] = [];
    let refused = 0;
    for (const text of Array.isArray(texts) ? texts as readonly StateReply[] : []) {
      const read = readStanding(String(text));
      items.push(...read.items);
      refused += read.refused;
    }
    return { items, refused };
  }

  /** What all replicas make fingerprints of keys with. @param own taken where there is none yet @throws StateAwayError */
  async salt(own: Buffer): Promise<Buffer> {
    const agreed = await this.#store.run(saltScript, [keys.salt], [own.toString('hex')]);
    return typeof agreed === 'string' && /^[0-9a-f]{64}$/.test(agreed) ? Buffer.from(agreed, 'hex') : own;
  }

  /** Reads on from the beginning: the store may have lost what it held. */
  forget(): void {
    this.#last = '';
  }

  #sample(time: StateReply, sentAt: number): void {
    const [seconds, microseconds] = Array.isArray(time) ? time as readonly StateReply[] : [];
    if (seconds !== undefined && microseconds !== undefined) this.#clock.sample(Number(seconds), Number(microseconds), sentAt, this.#now());
  }
}
