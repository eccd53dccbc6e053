/**
 * The ledger's schema as forward-only steps. Step n takes a file from version n to n + 1 (`user_version`).
 * A step that has shipped is never changed; what comes next is appended.
 *
 * Times are milliseconds since the epoch, durations milliseconds, money micro-dollars. NULL is unknown, never 0.
 * `seq` orders rows by commit: it is assigned under the write lock, so other processes read on from the last
 * one they saw.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE exchanges (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    instance TEXT NOT NULL,
    face TEXT NOT NULL,
    protocol TEXT NOT NULL,
    stream INTEGER NOT NULL,
    tool TEXT NOT NULL,
    workspace TEXT,
    conversation TEXT,
    purpose TEXT,
    wanted TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    first_token_ms REAL,
    total_ms REAL NOT NULL,
    outcome TEXT NOT NULL,
    failure_class TEXT,
    message TEXT,
    target TEXT,
    plan TEXT NOT NULL
  ) STRICT;
  CREATE INDEX exchanges_by_time ON exchanges (started_at);
  CREATE INDEX exchanges_open ON exchanges (instance) WHERE outcome = 'open';

  /* AUTOINCREMENT: a running attempt's row is written again when it ends, and its seq must never come back. */
  CREATE TABLE attempts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    exchange_seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    /* 0 while the attempt may still run; a final row is never changed, but for a price that was not known yet. */
    final INTEGER NOT NULL,
    /* 1 for the last attempt of an ended exchange. */
    last INTEGER NOT NULL,
    target TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    upstream_model TEXT NOT NULL,
    protocol TEXT NOT NULL,
    key_label TEXT,
    key_last4 TEXT,
    started_at INTEGER NOT NULL,
    headers_ms REAL,
    first_token_ms REAL,
    total_ms REAL NOT NULL,
    status INTEGER,
    outcome TEXT NOT NULL,
    failure_class TEXT,
    message TEXT,
    input_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    cache_write_1h_tokens INTEGER,
    output_tokens INTEGER,
    reasoning_tokens INTEGER,
    reported_micro_usd INTEGER,
    usage_estimated INTEGER NOT NULL,
    cost_micro_usd INTEGER,
    cost_certainty TEXT NOT NULL,
    price_source TEXT,
    price_used TEXT
  ) STRICT;
  CREATE UNIQUE INDEX attempts_of_exchange ON attempts (exchange_seq, number);
  CREATE INDEX attempts_by_time ON attempts (started_at);
  CREATE INDEX attempts_running ON attempts (exchange_seq) WHERE final = 0;

  CREATE TABLE health_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    at INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    kind TEXT NOT NULL,
    failure_class TEXT,
    message TEXT,
    latency_ms REAL
  ) STRICT;
  CREATE INDEX health_events_by_time ON health_events (at);

  CREATE TABLE instances (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  /* Counters: \`finished\`, the exchanges that have ended in all processes. */
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counters (name, value) VALUES ('finished', 0);
  `,
  `
  /* Sums of final attempts up to counters.rolled_up (an attempt's seq). A slot is start / width: level 0 has quarters of
     an hour (every local midnight is a border of one), level 1 UTC days, level 2 quarters of an hour of everything together. */
  CREATE TABLE spend_slots (
    level INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    tool TEXT NOT NULL,
    workspace TEXT NOT NULL,
    micro_usd INTEGER NOT NULL,
    estimated_micro_usd INTEGER NOT NULL,
    unknown_attempts INTEGER NOT NULL,
    exchanges INTEGER NOT NULL,
    input_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    cache_write_1h_tokens INTEGER,
    output_tokens INTEGER,
    reasoning_tokens INTEGER,
    reported_micro_usd INTEGER,
    PRIMARY KEY (level, slot, endpoint, model, tool, workspace)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO counters (name, value) VALUES ('rolled_up', 0);
  `,
  `
  ALTER TABLE attempts ADD COLUMN key_id TEXT;
  /* hedge, resume, restart or last-resort; NULL for the plain next of the plan. */
  ALTER TABLE attempts ADD COLUMN role TEXT;
  /* fast, normal or complex. */
  ALTER TABLE attempts ADD COLUMN kind TEXT;
  /* 1 where a fire drill made it fail: no other process may learn from it. */
  ALTER TABLE attempts ADD COLUMN drill INTEGER;
  ALTER TABLE attempts ADD COLUMN connect_ms REAL;
  ALTER TABLE attempts ADD COLUMN longest_gap_ms REAL;
  CREATE INDEX attempts_of_role ON attempts (role, started_at) WHERE role IS NOT NULL;
  `,
  `
  /* What servers share about keys: that one is dead, rests or works again (kind 'state'), and what a provider said
     is left of a limit (kinds of counted things). key_mark is a keyed digest of the secret, '' where there is no key; model
     is '' for all of them. The last word of each replaces the one before, under a new seq. */
  CREATE TABLE key_notes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key_mark TEXT NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT,
    /* End of a rest, or reset of a limit. */
    until INTEGER,
    remaining INTEGER,
    /* The limit itself. */
    most INTEGER,
    UNIQUE (endpoint, key_mark, model, kind)
  ) STRICT;
  `,
  `
  /* How long the provider asked to be left alone, from the end of the attempt. */
  ALTER TABLE attempts ADD COLUMN retry_after_ms REAL;
  CREATE INDEX attempts_with_wait ON attempts (started_at) WHERE retry_after_ms IS NOT NULL;
  `,
  `
  /* What tells a process from another one that gets its id later; see processIdentity.ts. NULL where the platform does not tell. */
  ALTER TABLE instances ADD COLUMN space TEXT;
  ALTER TABLE instances ADD COLUMN start TEXT;
  `,
  `
  /* The route that was asked for, by its own name. NULL for models and pinned targets, and in rows of earlier versions. */
  ALTER TABLE exchanges ADD COLUMN route TEXT;
  /* \`repriced\`: exchanges in which an attempt got its price after its final row had been committed without one. */
  INSERT INTO counters (name, value) VALUES ('repriced', 0);
  `,
  `
  /* Parts of the bill without a known price, in words and separated by commas; the cost is then a lower bound. NULL: none. */
  ALTER TABLE attempts ADD COLUMN cost_unpriced TEXT;
  `,
  `
  /* The day or month of which the price is. */
  ALTER TABLE attempts ADD COLUMN price_as_of TEXT;
  CREATE INDEX attempts_unpriced ON attempts (started_at) WHERE cost_unpriced IS NOT NULL;
  /* Of the sums: attempts that a plan or a free tier covers. */
  ALTER TABLE spend_slots ADD COLUMN covered_attempts INTEGER NOT NULL DEFAULT 0;
  `,
  `
  /* The branch of the caller's repository, where it said it. */
  ALTER TABLE exchanges ADD COLUMN branch TEXT;
  /* What the request used of its model, as bits; see requestFeatures in api/reports/features.ts. NULL in rows of earlier versions. */
  ALTER TABLE exchanges ADD COLUMN features INTEGER;
  `,
  `
  /* Of a copy that a shadow sent: the caller's request, its route and the arm, as JSON. NULL for requests of callers. */
  ALTER TABLE exchanges ADD COLUMN shadow TEXT;
  CREATE INDEX exchanges_of_shadows ON exchanges (started_at) WHERE shadow IS NOT NULL;
  `,
  `
  /* What the response cache of its route made of an exchange: hit, shared, miss, refresh or bypass. NULL: the route keeps no answers.
     The rest of what the receipt says of it is JSON. */
  ALTER TABLE exchanges ADD COLUMN cache TEXT;
  ALTER TABLE exchanges ADD COLUMN cache_facts TEXT;
  /* What an answer from there had cost; NULL: unknown. */
  ALTER TABLE exchanges ADD COLUMN saved_micro_usd INTEGER;
  CREATE INDEX exchanges_saved ON exchanges (started_at) WHERE cache IN ('hit', 'shared');
  `,
  `
  /* The extension that asked through the editor, and the kind of work that the request was taken for (see workKinds in api/purpose.ts).
     NULL: not recorded. */
  ALTER TABLE exchanges ADD COLUMN extension TEXT;
  ALTER TABLE exchanges ADD COLUMN work_kind TEXT;
  CREATE INDEX exchanges_of_conversation ON exchanges (conversation, started_at) WHERE conversation IS NOT NULL;
  /* The provider that the endpoint was configured for. NULL: not recorded. */
  ALTER TABLE attempts ADD COLUMN provider TEXT;
  `,
  `
  /* Sums of final attempts up to counters.cells_rolled_up (an attempt's seq), by everything that the Spend dashboard groups by. A combo is
     one set of such names; '' is what is not recorded. Level 0 has quarters of an hour, level 1 UTC days, level 2 UTC days of each
     conversation, level 3 quarters of an hour of everything together (combo 0). */
  CREATE TABLE spend_combos (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL, endpoint TEXT NOT NULL, model TEXT NOT NULL, route TEXT NOT NULL, tool TEXT NOT NULL, workspace TEXT NOT NULL,
    branch TEXT NOT NULL, purpose TEXT NOT NULL, kind TEXT NOT NULL, extension TEXT NOT NULL, part TEXT NOT NULL, has_conversation INTEGER NOT NULL,
    UNIQUE (tool, model, endpoint, workspace, branch, purpose, kind, route, part, extension, provider, has_conversation)
  ) STRICT;
  CREATE TABLE spend_cells (
    level INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    combo INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    micro_usd INTEGER NOT NULL,
    estimated_micro_usd INTEGER NOT NULL,
    unknown_attempts INTEGER NOT NULL,
    unpriced_attempts INTEGER NOT NULL,
    covered_attempts INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    priced_tokens INTEGER NOT NULL,
    token_gaps INTEGER NOT NULL,
    estimated_usage INTEGER NOT NULL,
    cache_saved_micro_usd INTEGER NOT NULL,
    cache_unpriced_attempts INTEGER NOT NULL,
    most_micro_usd INTEGER NOT NULL,
    PRIMARY KEY (level, slot, combo, conversation)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO counters (name, value) VALUES ('cells_rolled_up', 0);
  `,
  `
  /* The token that came with a request: its id, and the person and team that it was made for. NULL: the endpoint's own token, or the editor. */
  ALTER TABLE exchanges ADD COLUMN token TEXT;
  ALTER TABLE exchanges ADD COLUMN user TEXT;
  ALTER TABLE exchanges ADD COLUMN team TEXT;
  /* The cells of the dashboard are kept by them too: they are made anew from the attempts. */
  DROP TABLE spend_combos;
  CREATE TABLE spend_combos (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL, endpoint TEXT NOT NULL, model TEXT NOT NULL, route TEXT NOT NULL, tool TEXT NOT NULL, workspace TEXT NOT NULL,
    branch TEXT NOT NULL, purpose TEXT NOT NULL, kind TEXT NOT NULL, extension TEXT NOT NULL, token TEXT NOT NULL, user TEXT NOT NULL, team TEXT NOT NULL,
    part TEXT NOT NULL, has_conversation INTEGER NOT NULL,
    UNIQUE (tool, model, endpoint, workspace, branch, purpose, kind, route, part, extension, provider, token, user, team, has_conversation)
  ) STRICT;
  DELETE FROM spend_cells;
  UPDATE counters SET value = 0 WHERE name = 'cells_rolled_up';
  `,
  `
  /* The Spend dashboard looks for the dearest conversations, and for the cells of some, without sorting all of them. */
  CREATE INDEX spend_cells_of_conversation ON spend_cells (conversation, slot, micro_usd, unknown_attempts) WHERE level = 2;
  `,
  `
  /* The first words of the conversation, where the user has them kept. */
  ALTER TABLE exchanges ADD COLUMN title TEXT;
  `,
];
