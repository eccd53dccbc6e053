import type { Temporality } from '../../api/monitoring/monitoringSettings.ts';
import { decodedPart } from '../fields/addressPart.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the standard variables of OpenTelemetry say of one signal. */
export interface SignalOfEnvironment {
  /** The whole address, where the signal has one of its own. */
  url?: string | undefined;
  headers: Readonly<Record<string, string>>;
  /** The signal is switched off. */
  isOff: boolean;
}

/** What the standard variables of OpenTelemetry say. Absent: nothing. */
export interface OtlpOfEnvironment {
  isOff: boolean;
  /** A protocol that is not spoken here. */
  foreignProtocol?: string | undefined;
  endpoint?: string | undefined;
  timeoutMs?: number | undefined;
  gzip?: boolean | undefined;
  resource: Readonly<Record<string, string>>;
  share?: number | undefined;
  everyMs?: number | undefined;
  temporality?: Temporality | undefined;
  traces: SignalOfEnvironment;
  metrics: SignalOfEnvironment;
}

/**
 * Reads the variables. Source: the OpenTelemetry specification, "OpenTelemetry Protocol Exporter" and "SDK environment variables".
 * What cannot be read is as if it were not set.
 */
export function otlpOfEnvironment(environment: Environment): OtlpOfEnvironment {
  const value = (name: string): string | undefined => {
    const text = Object.hasOwn(environment, name) ? environment[name]?.trim() : undefined;
    return text === '' ? undefined : text;
  };
  const ofSignals = (end: string): string | undefined => value(`OTEL_EXPORTER_OTLP_${end}`);
  const signal = (name: 'TRACES' | 'METRICS'): SignalOfEnvironment => ({
    url: ofSignals(`${name}_ENDPOINT`),
    headers: { ...pairs(ofSignals('HEADERS')), ...pairs(ofSignals(`${name}_HEADERS`)) },
    isOff: value(`OTEL_${name}_EXPORTER`)?.toLowerCase() === 'none',
  });
  const protocol = ofSignals('PROTOCOL')?.toLowerCase();
  const compression = ofSignals('COMPRESSION')?.toLowerCase();
  const preference = ofSignals('METRICS_TEMPORALITY_PREFERENCE')?.toLowerCase();
  const service = value('OTEL_SERVICE_NAME');
  return {
    isOff: value('OTEL_SDK_DISABLED')?.toLowerCase() === 'true',
    foreignProtocol: protocol === undefined || protocol.startsWith('http/') ? undefined : protocol,
    endpoint: ofSignals('ENDPOINT'),
    timeoutMs: milliseconds(ofSignals('TIMEOUT')),
    gzip: compression === undefined ? undefined : compression === 'gzip',
    resource: { ...pairs(value('OTEL_RESOURCE_ATTRIBUTES')), ...(service === undefined ? {} : { 'service.name': service }) },
    share: shareOf(value('OTEL_TRACES_SAMPLER')?.toLowerCase(), value('OTEL_TRACES_SAMPLER_ARG')),
    everyMs: milliseconds(value('OTEL_METRIC_EXPORT_INTERVAL')),
    temporality: preference === undefined ? undefined : preference === 'delta' ? 'delta' : 'cumulative',
    traces: signal('TRACES'), metrics: signal('METRICS'),
  };
}

/** `name=value,name=value`, the values percent-encoded. */
function pairs(text: string | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of text?.split(',') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0) found[pair.slice(0, at).trim()] = decodedPart(pair.slice(at + 1).trim());
  }
  return found;
}

function milliseconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

/** What a sampler does with requests that belong to no trace yet. */
function shareOf(sampler: string | undefined, argument: string | undefined): number | undefined {
  switch (sampler?.replace('parentbased_', '')) {
    case 'always_on': return 1;
    case 'always_off': return 0;
    case 'traceidratio': {
      const share = argument === undefined ? 1 : Number(argument);
      return share >= 0 && share <= 1 ? share : undefined;
    }
    default: return undefined;
  }
}
