import * as z from 'zod/mini';
import { awayModes, type AwayMode } from '../../api/state/stateSettings.ts';
import { described, listed, optional, text, whole } from '../fields/fields.ts';

export const redisTlsSchema = z.strictObject({
  caFile: optional(text(), 'Certificate authorities in PEM that are trusted instead of those of Node.'),
  certFile: optional(text(), 'The certificate that this server shows, in PEM.'),
  keyFile: optional(text(), 'The key of that certificate, in PEM.'),
  serverName: optional(text(1, 253), 'The name that the certificate of Redis is for. Default: the host of `url`.'),
});

export const redisSchema = z.strictObject({
  url: described(text(), 'The address: `redis://HOST:PORT`, or `rediss://` for an encrypted connection; a path such as `/2` is the number of the database. A password in it comes from an environment variable.'),
  username: optional(text(1, 200), 'The user. Default: that of `url`, else the default user of Redis.'),
  password: optional(text(), 'The password, as `${NAME}` of an environment variable. Default: that of `url`.'),
  prefix: optional(z.string().check(z.regex(/^[A-Za-z0-9._-]{1,64}$/)), 'Begins the names of all keys. Servers with the same prefix share what they count. Default `waybill`.'),
  cluster: optional(z.boolean(), 'The address is that of a node of a Redis Cluster. All keys of a prefix are in one slot. Default false.'),
  tls: optional(redisTlsSchema, 'How an encrypted connection is made. Certificates are always checked.'),
  connectTimeoutMs: optional(whole(10, 1000), 'How long to wait for a connection. No request waits for one. Default 100.'),
  commandTimeoutMs: optional(whole(5, 1000), 'How long a request waits for an answer at most. Default 100.'),
});

export const whenAwaySchema = z.strictObject({
  limits: optional(z.enum(Object.keys(awayModes) as AwayMode[]), `What holds for limits of endpoints, keys and tokens. ${listed(awayModes)} Default \`share\`.`),
  budgets: optional(z.enum(Object.keys(awayModes) as AwayMode[]), 'The same for budgets and caps. Default `share`.'),
});

export const answersSchema = z.strictObject({
  secret: described(text(), 'At least 32 characters that all servers have, as `${NAME}` of an environment variable; `openssl rand -base64 32` makes some. Answers are named and encrypted with it, and Redis never has it. Who has it and can read Redis can read the answers.'),
  maxBytes: optional(whole(65_536, 8_589_934_592), 'Memory of Redis for all answers, in bytes; those that are too old first go first. Default 67108864.'),
  maxAnswerBytes: optional(whole(1024, 8_388_608), 'The most bytes of one answer as Redis has it, compressed and encrypted; a larger one stays in the memory of its server. Default 262144.'),
  waitMs: optional(whole(1, 1000), 'How long a request waits for an answer of Redis at most. Default 50.'),
});

export const stateSchema = z.strictObject({
  redis: optional(redisSchema, 'Redis 6 or later, or Valkey. `redis: "${REDIS_URL}"` is short for a `url` alone.'),
  whenAway: optional(whenAwaySchema, 'What holds while Redis cannot be used.'),
  answers: optional(answersSchema, 'What routes with `responseCache.replicas` keep of answers for all servers.'),
});
