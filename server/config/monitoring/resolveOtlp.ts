import type { OtlpSettings } from '../../api/monitoring/monitoringSettings.ts';
import { keyLikeSpans } from '../../base/secrets/keyLikeText.ts';
import { isPrivateHost, slashesAtEnd } from '../baseUrl.ts';
import { expandVariables } from '../environment.ts';
import { schemaProblems, type Report } from '../schemaProblems.ts';
import type { OtlpConfig, OtlpReceiver } from './monitoringConfig.ts';
import { otlpOfEnvironment, type OtlpOfEnvironment, type SignalOfEnvironment } from './otlpEnvironment.ts';
import { otlpSchema } from './otlpSchema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the variables of OpenTelemetry name no receiver, it is a collector of this machine. */
const localCollector = 'http://localhost:4318';
const secretNames = /auth|token|key|secret|cookie|password|credential/i;
/** HTTP sets these itself. */
const ownHeaders: ReadonlySet<string> = new Set(['content-type', 'content-length', 'content-encoding', 'host', 'connection', 'transfer-encoding']);
/** Shorter values are no secrets, and a log without them could not be read. */
const shortestSecret = 8;
const noEnvironment: OtlpOfEnvironment = { isOff: false, resource: {}, traces: { headers: {}, isOff: false }, metrics: { headers: {}, isOff: false } };

/**
 * Makes the export of metrics and traces of what a user wrote. A mistake leaves all of it out: half of the headers would be refused.
 * @param secrets takes values that no log may have @returns undefined where nothing is sent
 */
export function resolveOtlp(written: unknown, environment: Environment, secrets: string[], report: Report): OtlpConfig | undefined {
  if (written === undefined || written === null) return undefined;
  let isWrong = false;
  const leaveOut = (path: readonly (string | number)[], text: string, unset?: boolean): void => {
    isWrong = true;
    report(['monitoring', 'otlp', ...path], `Nothing is sent in the OpenTelemetry protocol: ${text}`, unset);
  };
  for (const { path, text } of schemaProblems(otlpSchema, written)) leaveOut(path, text);
  if (isWrong) return undefined;
  const settings = written as OtlpSettings;
  if (settings.enabled === false) return undefined;
  const given = settings.fromEnvironment === true ? otlpOfEnvironment(environment) : noEnvironment;
  if (given.isOff) return undefined;
  if (given.foreignProtocol !== undefined) leaveOut(['fromEnvironment'], 'OTEL_EXPORTER_OTLP_PROTOCOL asks for a protocol that is not spoken here; set it to http/json, and the address to one that takes HTTP (mostly port 4318).');
  const headers = headersOf(settings.headers ?? {}, environment, secrets, leaveOut);
  const base = baseOf(settings, given, environment, leaveOut);
  const { traces, metrics, resource = {} } = settings;
  const receiver = (path: '/v1/traces' | '/v1/metrics', signal: SignalOfEnvironment): OtlpReceiver => {
    const url = settings.endpoint === undefined && signal.url !== undefined ? signal.url : `${base}${path}`;
    const problem = addressProblem(url);
    if (problem !== undefined) leaveOut(['endpoint'], problem);
    // Headers of the environment belong to its receiver, and go to no other.
    const own = settings.endpoint === undefined ? signal.headers : {};
    for (const value of Object.values(own)) keepSecret(value, secrets);
    return { url, headers: { ...lowerCased(own), ...headers } };
  };
  const sendsTraces = traces?.enabled !== false && (traces?.enabled === true || !given.traces.isOff);
  const sendsMetrics = metrics?.enabled !== false && (metrics?.enabled === true || !given.metrics.isOff);
  const config: OtlpConfig = {
    resource: { 'service.name': 'waybill', ...given.resource, ...resource },
    timeoutMs: settings.timeoutSeconds === undefined ? Math.min(given.timeoutMs ?? 10_000, 60_000) : settings.timeoutSeconds * 1000,
    gzip: settings.compression === undefined ? given.gzip ?? true : settings.compression === 'gzip',
    ...(sendsTraces ? { traces: {
      ...receiver('/v1/traces', given.traces), share: traces?.share ?? given.share ?? 1, passOn: new Set(traces?.passOn?.map(name => name.toLowerCase())),
      prompts: traces?.content?.includes('prompts') === true, answers: traces?.content?.includes('answers') === true, contentCharacters: traces?.contentCharacters ?? 4000,
    } } : {}),
    ...(sendsMetrics ? { metrics: {
      ...receiver('/v1/metrics', given.metrics), temporality: metrics?.temporality ?? given.temporality ?? 'cumulative',
      everyMs: metrics?.everySeconds === undefined ? Math.max(given.everyMs ?? 60_000, 1000) : metrics.everySeconds * 1000,
    } } : {}),
  };
  return isWrong || (!sendsTraces && !sendsMetrics) ? undefined : config;
}

type LeaveOut = (path: readonly (string | number)[], text: string, unset?: boolean) => void;

function baseOf({ endpoint, fromEnvironment }: OtlpSettings, given: OtlpOfEnvironment, environment: Environment, leaveOut: LeaveOut): string {
  if (endpoint !== undefined) {
    const address = expandVariables(endpoint, environment);
    if (!('problem' in address)) return address.text.trim().replace(slashesAtEnd, '');
    leaveOut(['endpoint'], `${address.problem}.`, address.unset);
  } else if (fromEnvironment !== true) leaveOut([], 'give "endpoint", the address of the receiver, or switch "fromEnvironment" on.');
  return (given.endpoint ?? localCollector).replace(slashesAtEnd, '');
}

/** What is wrong with an address, without the address: it may be a secret. */
function addressProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isPrivateHost(url.hostname)))) {
    return 'its address must begin with https://, or with http:// on this machine or a private network.';
  }
  return url.username === '' && url.password === '' ? undefined : 'its address must not hold a user name or password; put them into a header.';
}

function headersOf(written: Readonly<Record<string, string>>, environment: Environment, secrets: string[], leaveOut: LeaveOut): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(written)) {
    const path = ['headers', name];
    const found = expandVariables(value, environment);
    if ('problem' in found) leaveOut(path, `${found.problem}.`, found.unset);
    else if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || ownHeaders.has(name.toLowerCase())) leaveOut(path, `"${name}" is not a header that can be set here.`);
    else if (found.names.length === 0 && (secretNames.test(name) || keyLikeSpans(value).length > 0)) leaveOut(path, `the header "${name}" is a secret; put it into an environment variable and write \${NAME} here.`);
    else if (/[^\t\x20-\x7e\x80-\xff]/.test(found.text)) leaveOut(path, `the header "${name}" holds a character that HTTP does not allow.`);
    else {
      if (found.names.length > 0) keepSecret(found.text, secrets);
      headers[name.toLowerCase()] = found.text;
    }
  }
  return headers;
}

/** The whole value, and what stands behind the scheme of a login. */
function keepSecret(value: string, secrets: string[]): void {
  for (const part of new Set([value, value.replace(/^\S+\s+/, '')])) if (part.length >= shortestSecret) secrets.push(part);
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
