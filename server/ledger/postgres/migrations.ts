/**
 * The schema of the shared ledger as forward-only steps. Step n takes it from version n to n + 1. A step that has shipped is
 * never changed; what comes next is appended. `$schema` stands for the name of the schema, which is a plain one.
 *
 * Rows of exchanges and attempts have the columns of the journal (ledger/sqlite/migrations.ts): times in milliseconds since the epoch,
 * durations in milliseconds, money in micro-dollars. NULL is unknown, never 0.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE $schema.replicas (
    id text PRIMARY KEY,
    name text NOT NULL,
    /* How many batches it has copied; see ledger/journal.ts. */
    batches bigint NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now()
  );

  CREATE TABLE $schema.exchanges (
    id text PRIMARY KEY,
    replica text NOT NULL,
    face text,
    protocol text,
    stream smallint,
    tool text,
    workspace text,
    branch text,
    conversation text,
    purpose text,
    work_kind text,
    extension text,
    token text,
    "user" text,
    team text,
    wanted text,
    route text,
    started_at bigint NOT NULL,
    first_token_ms double precision,
    total_ms double precision,
    outcome text,
    failure_class text,
    message text,
    target text,
    plan text,
    features bigint,
    shadow text,
    cache text,
    cache_facts text,
    saved_micro_usd bigint
  );
  CREATE INDEX exchanges_by_time ON $schema.exchanges (started_at);
  CREATE INDEX exchanges_saved ON $schema.exchanges (started_at) WHERE cache IN ('hit', 'shared');

  CREATE TABLE $schema.attempts (
    exchange_id text NOT NULL,
    number integer NOT NULL,
    target text,
    endpoint text,
    provider text,
    model text,
    upstream_model text,
    protocol text,
    key_label text,
    key_last4 text,
    key_id text,
    role text,
    kind text,
    drill smallint,
    started_at bigint NOT NULL,
    connect_ms double precision,
    headers_ms double precision,
    first_token_ms double precision,
    longest_gap_ms double precision,
    total_ms double precision,
    retry_after_ms double precision,
    status integer,
    outcome text,
    failure_class text,
    message text,
    input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_tokens bigint,
    cache_write_1h_tokens bigint,
    output_tokens bigint,
    reasoning_tokens bigint,
    reported_micro_usd bigint,
    usage_estimated smallint,
    cost_micro_usd bigint,
    cost_certainty text,
    price_source text,
    price_used text,
    price_as_of text,
    cost_unpriced text,
    /* Names of the exchange. */
    tool text,
    workspace text,
    branch text,
    route text,
    conversation text,
    extension text,
    token text,
    "user" text,
    team text,
    purpose text,
    work_kind text,
    is_shadow smallint NOT NULL,
    /* What the attempt adds to sums. exchanges: 1 for the last attempt of a request. */
    micro_usd bigint NOT NULL,
    estimated_micro_usd bigint NOT NULL,
    unknown_attempts smallint NOT NULL,
    exchanges smallint NOT NULL,
    covered_attempts smallint NOT NULL,
    PRIMARY KEY (exchange_id, number)
  );
  CREATE INDEX attempts_by_time ON $schema.attempts (started_at);
  CREATE INDEX attempts_unpriced ON $schema.attempts (started_at) WHERE cost_unpriced IS NOT NULL;
  CREATE INDEX attempts_of_conversation ON $schema.attempts (conversation, started_at) WHERE conversation IS NOT NULL;

  /* Quarters of an hour (their start divided by 900,000) whose sums are to be made anew: one row for each batch that changed something in
     them. Nobody waits for another one's row. */
  CREATE TABLE $schema.changed_slots (slot bigint NOT NULL);

  /* Sums of attempts by names ('': not recorded). Level 0 has quarters of an hour, level 1 UTC days (their start divided by 86,400,000). They hold
     where the slot, or each slot of the day, is not in changed_slots. */
  CREATE TABLE $schema.spend_cells (
    level smallint NOT NULL,
    slot bigint NOT NULL,
    endpoint text NOT NULL,
    model text NOT NULL,
    tool text NOT NULL,
    workspace text NOT NULL,
    branch text NOT NULL,
    route text NOT NULL,
    extension text NOT NULL,
    token text NOT NULL,
    "user" text NOT NULL,
    team text NOT NULL,
    micro_usd bigint NOT NULL,
    estimated_micro_usd bigint NOT NULL,
    unknown_attempts bigint NOT NULL,
    /* Attempts whose cost is unknown or a lower bound. */
    incomplete_attempts bigint NOT NULL,
    covered_attempts bigint NOT NULL,
    exchanges bigint NOT NULL,
    attempts bigint NOT NULL,
    input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_tokens bigint,
    cache_write_1h_tokens bigint,
    output_tokens bigint,
    reasoning_tokens bigint,
    reported_micro_usd bigint
  );
  CREATE INDEX spend_cells_by_slot ON $schema.spend_cells (level, slot);

  /* The same for everything together, by quarters of an hour. started: requests that began then. */
  CREATE TABLE $schema.spend_slots (
    slot bigint PRIMARY KEY,
    micro_usd bigint NOT NULL,
    estimated_micro_usd bigint NOT NULL,
    unknown_attempts bigint NOT NULL,
    covered_attempts bigint NOT NULL,
    exchanges bigint NOT NULL,
    started bigint NOT NULL
  );

  /* For people and their boards: UTC days, by names, in US dollars. */
  CREATE VIEW $schema.spend_by_day AS SELECT to_timestamp(slot * 86400)::date AS day, endpoint, model, tool, workspace, branch, route, extension, token, "user", team,
    sum(micro_usd) / 1e6 AS usd, sum(estimated_micro_usd) / 1e6 AS estimated_usd, sum(unknown_attempts) AS unknown_attempts, sum(exchanges) AS requests,
    sum(input_tokens) AS input_tokens, sum(cache_read_tokens) AS cache_read_tokens, coalesce(sum(cache_write_tokens), 0) + coalesce(sum(cache_write_1h_tokens), 0) AS cache_write_tokens, sum(output_tokens) AS output_tokens
    FROM $schema.spend_cells WHERE level = 1 GROUP BY slot, endpoint, model, tool, workspace, branch, route, extension, token, "user", team;
  `,
];
