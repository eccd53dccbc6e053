import * as z from 'zod/mini';
import { alertKinds, webhookForms, type AlertKind } from '../../api/monitoring/monitoringSettings.ts';
import { otlpSchema } from './otlpSchema.ts';
import { amount, described, listed, optional, text, whole } from '../fields/fields.ts';

export const metricsSchema = z.strictObject({
  enabled: optional(z.boolean(), 'Serve `GET /metrics` at the local endpoint, in the text format of Prometheus. Default true where this section is written, else false.'),
  requireToken: optional(z.boolean(), 'Programs of this machine, too, send the token of the local endpoint to read `/metrics`. Switch it on where a proxy passes requests of others on. Default false.'),
  readers: optional(z.array(text(1, 64)), 'Who reads `/metrics` without a token where `serve` listens for other machines, by IP address or CIDR range such as `10.0.5.0/24`. Behind a trusted proxy the address of the caller counts, and never that of the proxy. Default: nobody.'),
  models: optional(z.array(text(1, 200)), 'Models that have a label of their own, beside those that routes and endpoints of the configuration name. Every other model is counted as `other`, so that names which callers make up do not grow the metrics.'),
});

export const alertSchema = z.strictObject({
  when: described(z.enum(Object.keys(alertKinds) as AlertKind[]), `What it is about. ${listed(alertKinds)}`),
  above: optional(amount(1_000_000), 'The bound. Default: 0.05 for `error-rate`, 60 for `slow`, 30 for `slow-start`, 0.9 for `budget`; `spend` has none.'),
  only: optional(z.array(text(1, 200)), 'The endpoints, routes or budgets that it is about, by name. Default: all.'),
  forMinutes: optional(amount(1440), 'For how long it must hold, in minutes. Default 5 for `endpoint-down`, else 0.'),
  windowMinutes: optional(whole(1, 60), 'Over how many minutes `error-rate`, `slow` and `slow-start` are taken. Default 10.'),
  minRequests: optional(whole(1, 1_000_000), 'How many requests of a route there must be in that time. Default 20.'),
  to: optional(z.array(text(1, 64)), 'Who is told: names of `webhooks`, `editor` (a notification of VS Code) and `log`. Default: all of them.'),
});

export const webhookSchema = z.strictObject({
  url: described(text(), 'The address, as `${NAME}` of an environment variable, because whoever knows it can write there. It is `https://`, or `http://` on this machine or a private network.'),
  form: optional(z.enum(webhookForms), 'What is sent. `slack`: `{"text": …}`, which Slack, Mattermost, Rocket.Chat and Discord (with `/slack` behind its address) take. `json`: all fields. Default `json`.'),
  secret: optional(text(), 'What messages are signed with (HMAC-SHA256), as `${NAME}` of an environment variable. Default: they are not signed.'),
});

/** Each part is checked by itself, so that a mistake costs only that part. */
export const monitoringSchema = z.strictObject({
  metrics: optional(metricsSchema, 'Figures for Prometheus. docs/metrics.md lists them.'),
  alerts: optional(z.record(text(1, 64), alertSchema), 'Rules, by names of your own, that tell people when something is wrong, and when it is over. docs/alerts.md describes them.'),
  webhooks: optional(z.record(text(1, 64), webhookSchema), 'Where alerts are sent, by names of your own.'),
  otlp: optional(otlpSchema, 'Metrics and traces that are sent in the OpenTelemetry protocol (OTLP over HTTP, JSON). docs/telemetry.md lists them.'),
});
