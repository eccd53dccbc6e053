import * as z from 'zod/mini';
import { described, optional, text, whole } from '../fields/fields.ts';

export const postgresSchema = z.strictObject({
  url: described(text(), 'The address, as `${NAME}` of an environment variable: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Of what may follow a `?`, `sslmode` and `host` (the folder of a socket) are read.'),
  password: optional(text(), 'The password, as `${NAME}` of an environment variable. Default: that of `url`.'),
  caFile: optional(text(), 'Certificate authorities in PEM that are trusted instead of those of Node.'),
  tls: optional(z.boolean(), 'The connection is encrypted, and the certificate checked. Default: what `sslmode` of `url` says, else true, but for this machine and private networks without `caFile`.'),
  schema: optional(z.string().check(z.regex(/^[a-z_][a-z0-9_]{0,62}$/)), 'The schema that holds the tables. It is made where it is missing. Default `waybill`.'),
  connections: optional(whole(2, 100), 'The most connections of this server. Default 4.'),
  retentionDays: optional(whole(1, 36_500), 'Records of requests are deleted from PostgreSQL after so many days; their sums stay. Default: records are kept.'),
  name: optional(text(1, 200), 'What people know this replica by. Default: the name of the machine.'),
});

export const ledgerSchema = z.strictObject({
  keepTitles: optional(z.boolean(), 'Keep the first words of each conversation, at most 60 characters without what looks like a key, in the ledger of this machine with the requests that belong to it; PostgreSQL does not get them. `waybill titles forget` removes them. Default false: no text of a prompt is written to disk.'),
  postgres: optional(postgresSchema, 'Where servers on several machines keep one ledger together: each copies there what it recorded, and sums are of all of them. PostgreSQL 12 or later. `postgres: "${DATABASE_URL}"` is short for a `url` alone. docs/postgres.md has the rest.'),
});
