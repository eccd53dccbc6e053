import { digestName } from '../../../base/files/digestName.ts';
import type { StateReply, StateScript, StateStore } from '../../../state/stateStore.ts';
import type { AlertIncident } from './incidentFiles.ts';

/** What a server knows of an incident, in moments of its own clock. */
export interface IncidentReport {
  phase: 'on' | 'over';
  incident: AlertIncident;
  /** When a server last saw it hold. */
  seenAt: number;
  /** Webhooks were told of this phase. */
  told: boolean;
  /** Whether this server can tell them, or does so now. */
  speaks: 'no' | 'can' | 'sends';
  /** `on`: one that was seen no later than this before is another one. `over`: no replica may have seen it for so long. */
  boundMs: number;
}

/** What a server is to do. `past`: its incident is one that is over. `wait`: another server tells, sees the incident hold, or could say what it is. */
export type IncidentWord = 'tell' | 'told' | 'wait' | 'past';

/** An incident of all replicas, in moments of this server's clock. */
export interface SharedIncident {
  phase: 'on' | 'over';
  incident: AlertIncident;
  seenAt: number;
  told: boolean;
  /** A server tells webhooks now. */
  isClaimed: boolean;
}

const key = 'alerts';
/** A server that tells webhooks says so at each look; when it has not for so long, another one tells. */
const claimMs = 30_000;
/** No replica has seen it, and none has the rule: it is forgotten. */
const forgottenMs = 86_400_000;
/** The end of an incident is known for so long, so that it is told once. */
const endedMs = 900_000;
const fieldsOfRecord = 9;

/**
 * KEYS: incidents. ARGV: this server, claim, forgotten and ended in ms, then of each report: digest, phase, id, rule, subject, time since its
 * start and since it was seen in ms, told, speaks, bound in ms. Tells a word for each, and all incidents.
 */
const exchangeScript: StateScript = {
  name: 'exchange incidents of alerts',
  source: `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local me, claim, forgotten, ended = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local function text(n) return string.format('%.0f', n) end
local words = {}
for i = 5, #ARGV, 10 do
  local digest, phase, id, rule, subject = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local started, seen = now - tonumber(ARGV[i + 5]), now - tonumber(ARGV[i + 6])
  local told, speaks, bound = ARGV[i + 7] == '1', ARGV[i + 8] ~= 'no', tonumber(ARGV[i + 9])
  local name = KEYS[1] .. ':' .. digest
  local r, word
  local function read()
    local f = redis.call('HMGET', name, 'phase', 'id', 'seen', 'at', 'told', 'by', 'until')
    r = { phase = f[1], id = f[2], seen = tonumber(f[3] or 0), at = tonumber(f[4] or 0), told = f[5] == '1', by = f[6], till = tonumber(f[7] or 0) }
  end
  local function put(newId, from, isTold)
    redis.call('HSET', name, 'phase', phase, 'id', newId, 'rule', rule, 'subject', subject, 'started', text(from), 'seen', text(seen), 'at', text(now), 'told', isTold and 1 or 0, 'by', '', 'until', 0)
    read()
  end
  read()
  if phase == 'on' then
    if not r.phase then put(id, started, told)
    elseif r.phase == 'over' then
      if seen <= r.at then word = 'past'
      elseif id == r.id then put(string.sub(digest, 1, 12) .. '-' .. text(now), seen, false)
      else put(id, started, told) end
    elseif not told and now - r.seen > bound then put(id, started, false)
    elseif seen > r.seen + 1000 then redis.call('HSET', name, 'seen', text(seen)) end
  elseif not r.phase or (r.phase == 'over' and started > r.at) then
    if told then word = 'told' else put(id, started, false) end
  elseif r.phase == 'on' then
    if now - r.seen < bound then word = told and 'told' or 'wait'
    else redis.call('HSET', name, 'phase', 'over', 'at', text(now), 'told', 0, 'by', '', 'until', 0) read() end
  end
  if not word then
    if told and not r.told and (id == r.id or phase == 'over') then
      redis.call('HSET', name, 'told', 1)
      r.told = true
    end
    if r.told then word = 'told'
    elseif speaks and (r.by == me or r.till <= now) then
      redis.call('HSET', name, 'by', me, 'until', text(now + claim))
      word = 'tell'
    else word = 'wait' end
    redis.call('PEXPIRE', name, r.phase == 'over' and ended or forgotten)
    redis.call('ZADD', KEYS[1], text(now), digest)
  end
  words[#words + 1] = word
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - forgotten))
redis.call('PEXPIRE', KEYS[1], forgotten)
local known = {}
for _, digest in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, 999)) do
  local f = redis.call('HMGET', KEYS[1] .. ':' .. digest, 'phase', 'id', 'rule', 'subject', 'started', 'seen', 'told', 'until')
  if not f[1] then redis.call('ZREM', KEYS[1], digest)
  else
    f[5], f[6] = now - tonumber(f[5]), now - tonumber(f[6])
    f[8] = tonumber(f[8]) > now and 1 or 0
    f[9] = digest
    known[#known + 1] = f
  end
end
return {words, known}`,
};

/**
 * The incidents of replicas that share a store, by a digest of rule and subject. Each replica tells what it knows; the one that gets the word
 * tells webhooks, and when it ends before it did, another one gets the word.
 */
export class SharedIncidents {
  readonly #store: Pick<StateStore, 'isConfigured' | 'replica' | 'run'>;
  readonly #placeOf: (rule: string, subject: string) => string;

  /** @param placeOf tells subjects of one name apart that are different ones, such as endpoints of this machine; empty: the same everywhere */
  constructor(store: Pick<StateStore, 'isConfigured' | 'replica' | 'run'>, placeOf: (rule: string, subject: string) => string) {
    this.#store = store;
    this.#placeOf = placeOf;
  }

  get isConfigured(): boolean {
    return this.#store.isConfigured;
  }

  /**
   * Tells what is known here, and learns what is known elsewhere.
   * @param now milliseconds since the epoch @returns a word for each report, and the incidents that this server can be about @throws as StateStore.run, and an Error where the store answers with something else
   */
  async exchange(reports: readonly IncidentReport[], now: number): Promise<{ words: readonly IncidentWord[]; known: readonly SharedIncident[] }> {
    const args = reports.flatMap(({ phase, incident: { id, rule, subject, startedAt }, seenAt, told, speaks, boundMs }) => [
      this.#digestOf(rule, subject), phase, id, rule, subject, sinceOf(startedAt, now), sinceOf(seenAt, now), told ? 1 : 0, speaks, boundMs,
    ]);
    const reply = await this.#store.run(exchangeScript, [key], [this.#store.replica, claimMs, forgottenMs, endedMs, ...args]);
    const [words, known] = Array.isArray(reply) ? reply as readonly StateReply[] : [];
    if (!areWords(words, reports.length) || !Array.isArray(known)) throw new Error('the store answered with something else than incidents');
    return { words, known: (known as readonly StateReply[]).flatMap(record => this.#incidentOf(record, now)) };
  }

  #incidentOf(record: StateReply, now: number): SharedIncident[] {
    if (!Array.isArray(record) || record.length !== fieldsOfRecord) return [];
    const [phase, id, rule, subject, started, seen, told, claimed, digest] = record.map(String);
    if ((phase !== 'on' && phase !== 'over') || id === undefined || rule === undefined || subject === undefined || digest !== this.#digestOf(rule, subject)) return [];
    const [startedAt, seenAt] = [now - Number(started), now - Number(seen)];
    return Number.isFinite(startedAt) && Number.isFinite(seenAt) ? [{ phase, incident: { id, rule, subject, startedAt }, seenAt, told: told === '1', isClaimed: claimed === '1' }] : [];
  }

  #digestOf(rule: string, subject: string): string {
    return digestName(JSON.stringify([rule, subject, this.#placeOf(rule, subject)]));
  }
}

function sinceOf(at: number, now: number): number {
  return Math.max(0, Math.round(now - at));
}

function areWords(value: StateReply | undefined, count: number): value is readonly IncidentWord[] {
  return Array.isArray(value) && value.length === count && (value as readonly StateReply[]).every(word => word === 'tell' || word === 'told' || word === 'wait' || word === 'past');
}
