import * as z from 'zod/mini';
import { optional, text } from '../fields/fields.ts';

export const metricsSchema = z.strictObject({
  enabled: optional(z.boolean(), 'Serve `GET /metrics` at the local endpoint, in the text format of Prometheus. Default true where this section is written, else false.'),
  allow: optional(z.array(text(2, 64)), 'IP addresses, or networks such as `10.0.0.0/8`, that may read `/metrics` without a token. This machine always may; others send the token of the local endpoint itself, not one of a tool or person.'),
  models: optional(z.array(text(1, 200)), 'Models that have a label of their own, beside those that routes and endpoints of the configuration name. Every other model is counted as `other`, so that names which callers make up do not grow the metrics.'),
});

/** Each part is checked by itself, so that a mistake costs only that part. */
export const monitoringSchema = z.strictObject({
  metrics: optional(metricsSchema, 'Figures for Prometheus. docs/metrics.md lists them.'),
});
