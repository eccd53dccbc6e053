import * as z from 'zod/mini';
import { otlpCompressions, temporalities, tracedContents } from '../../api/monitoring/monitoringSettings.ts';
import { amount, optional, text, whole } from '../fields/fields.ts';

const tracesSchema = z.strictObject({
  enabled: optional(z.boolean(), 'Send traces. Default true.'),
  share: optional(amount(1), 'Of the requests whose caller sends no `traceparent`, the share that is traced, 0 to 1. Where a caller sends one, it decides. Default 1.'),
  passOn: optional(z.array(text(1, 64)), 'Names of endpoints that get `traceparent` and `tracestate`, such as a gateway or a model server of your own; `*` is all of them. Default: none, so providers learn nothing of your traces.'),
  content: optional(z.array(z.enum(tracedContents)), 'What leaves with a trace beside figures and names. `prompts`: the texts of requests. `answers`: the texts of answers. Default: neither.'),
  contentCharacters: optional(whole(100, 100_000), 'The most characters of a prompt, and of an answer, that leave. Default 4000.'),
});

const metricsSchema = z.strictObject({
  enabled: optional(z.boolean(), 'Send metrics. Default true.'),
  everySeconds: optional(whole(5, 3600), 'How often metrics are sent, in seconds. Default 60.'),
  temporality: optional(z.enum(temporalities), '`cumulative`: sums since the server started, as backends like Prometheus want them. `delta`: what was added since the last time. Default `cumulative`.'),
});

export const otlpSchema = z.strictObject({
  enabled: optional(z.boolean(), 'Send. Default true where this section is written, else false.'),
  endpoint: optional(text(), 'The address of the receiver, to which `/v1/traces` and `/v1/metrics` are added: `https://`, or `http://` on this machine or a private network.'),
  headers: optional(z.record(text(1, 100), text(0, 4000)), 'Headers of each request, by name. Secrets stand in environment variables: `"authorization": "Bearer ${NAME}"`.'),
  fromEnvironment: optional(z.boolean(), 'The standard variables `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` and their like hold for what is not written here. Default false.'),
  timeoutSeconds: optional(whole(1, 60), 'How long the receiver may take for an answer, in seconds. Default 10.'),
  compression: optional(z.enum(otlpCompressions), 'How what is sent is packed. Default `gzip`.'),
  resource: optional(z.record(text(1, 200), text(1, 500)), 'Attributes of this server, such as `"deployment.environment.name": "production"`. `service.name` is `waybill` where it is not given.'),
  traces: optional(tracesSchema, 'Traces: a span of each request, and one of each call of a provider. Default: they are sent.'),
  metrics: optional(metricsSchema, 'Metrics, the same that Prometheus can read. Default: they are sent.'),
});
