import type { AlertSettings, MetricsSettings, WebhookSettings } from '../../api/monitoring/monitoringSettings.ts';
import { isObject } from '../../base/json.ts';
import { schemaProblems, type Report } from '../schemaProblems.ts';
import { suggestion } from '../nearest.ts';
import { isPrivateHost } from '../baseUrl.ts';
import { expandVariables } from '../environment.ts';
import { isRange } from '../fields/addressRanges.ts';
import type { AlertRule, MetricsConfig, MonitoringConfig, WebhookConfig } from './monitoringConfig.ts';
import { alertSchema, metricsSchema, monitoringSchema, webhookSchema } from './monitoringSchema.ts';
import { resolveOtlp } from './resolveOtlp.ts';

/**
 * Makes the monitoring of what a user wrote. A mistake costs only the part that it stands in.
 * @returns undefined where nothing is switched on
 */
export function resolveMonitoring(written: unknown, environment: Readonly<Record<string, string | undefined>>, report: Report): MonitoringConfig | undefined {
  if (written === undefined || written === null) return undefined;
  if (!isObject(written)) {
    report(['monitoring'], '"monitoring" must be a mapping, such as { "metrics": { "enabled": true } }.');
    return undefined;
  }
  const known = Object.keys(monitoringSchema.shape);
  for (const name of Object.keys(written)) {
    if (!known.includes(name)) report(['monitoring', name], `There is no "monitoring.${name}"${suggestion(name, known, `; fields here are ${known.join(', ')}.`)}`);
  }
  const metrics = metricsOf(written['metrics'], environment, report);
  const secrets: string[] = [];
  const webhooks = webhooksOf(written['webhooks'], environment, secrets, report);
  const alerts = alertsOf(written['alerts'], webhooks, report);
  const otlp = resolveOtlp(written['otlp'], environment, secrets, report);
  if (metrics === undefined && alerts.length === 0 && otlp === undefined) return undefined;
  return { metrics, secrets, ...(alerts.length === 0 ? {} : { alerts, webhooks }), ...(otlp === undefined ? {} : { otlp }) };
}

function metricsOf(written: unknown, environment: Readonly<Record<string, string | undefined>>, report: Report): MetricsConfig | undefined {
  if (written === undefined || written === null) return undefined;
  const wrong = schemaProblems(metricsSchema, written);
  for (const { path, text } of wrong) report(['monitoring', 'metrics', ...path], `Metrics are left out: ${text}`);
  if (wrong.length > 0) return undefined;
  const { enabled, requireToken, readers, models } = written as MetricsSettings;
  if (enabled === false) return undefined;
  return { requireToken: requireToken ?? false, models: models ?? [], ...(readers === undefined ? {} : { readers: readersOf(readers, environment, report) }) };
}

/** One that cannot be read is left out, and needs the token. */
function readersOf(written: readonly string[], environment: Readonly<Record<string, string | undefined>>, report: Report): string[] {
  return written.flatMap((text, index) => {
    const path = ['monitoring', 'metrics', 'readers', index];
    const expanded = expandVariables(text, environment);
    if ('problem' in expanded) report(path, `A reader of metrics is left out: in "readers[${index}]", ${expanded.problem}.`, expanded.unset);
    else if (!isRange(expanded.text)) report(path, `A reader of metrics is left out: "readers[${index}]" must be an IP address or a CIDR range such as 10.0.5.0/24.`);
    else return [expanded.text];
    return [];
  });
}

function webhooksOf(written: unknown, environment: Readonly<Record<string, string | undefined>>, secrets: string[], report: Report): Map<string, WebhookConfig> {
  const webhooks = new Map<string, WebhookConfig>();
  for (const [name, settings] of entriesOf('webhooks', written, report)) {
    const path = ['monitoring', 'webhooks', name];
    const leftOut = (text: string, unset?: boolean): void => { report(path, `The webhook "${name}" is left out: ${text}`, unset); };
    const wrong = name === 'editor' || name === 'log' ? [{ path: [], text: `"${name}" is a destination of its own; give it another name.` }] : schemaProblems(webhookSchema, settings);
    for (const { text } of wrong) leftOut(text);
    if (wrong.length > 0) continue;
    const { url, form, secret } = settings as WebhookSettings;
    const address = expandVariables(url, environment);
    const signing = secret === undefined ? undefined : expandVariables(secret, environment);
    if ('problem' in address) leftOut(`${address.problem}.`, address.unset);
    else if (signing !== undefined && 'problem' in signing) leftOut(`${signing.problem}.`, signing.unset);
    else if (address.names.length === 0 || signing?.names.length === 0) leftOut('its address and its secret let whoever knows them write there; put them into environment variables and write ${NAME} here.');
    else if (!isAddress(address.text)) leftOut('its address must begin with https://, or with http:// on this machine or a private network.');
    else {
      secrets.push(address.text);
      if (signing !== undefined) secrets.push(signing.text);
      webhooks.set(name, { name, url: address.text, form: form ?? 'json', ...(signing === undefined ? {} : { secret: signing.text }) });
    }
  }
  return webhooks;
}

const bounds: Readonly<Record<AlertSettings['when'], number | undefined>> = { 'endpoint-down': 0, 'error-rate': 0.05, 'slow': 60, 'slow-start': 30, 'budget': 0.9, 'canary-rolled-back': 0, 'spend': undefined };

function alertsOf(written: unknown, webhooks: ReadonlyMap<string, WebhookConfig>, report: Report): AlertRule[] {
  const alerts: AlertRule[] = [];
  for (const [name, settings] of entriesOf('alerts', written, report)) {
    const wrong = schemaProblems(alertSchema, settings);
    for (const { path, text } of wrong) report(['monitoring', 'alerts', name, ...path], `The alert "${name}" is left out: ${text}`);
    if (wrong.length > 0) continue;
    const { when, above = bounds[when], only, forMinutes, windowMinutes, minRequests, to } = settings as AlertSettings;
    if (above === undefined) {
      report(['monitoring', 'alerts', name], `The alert "${name}" is left out: give "above", the US dollars of an hour.`);
      continue;
    }
    const unknown = (to ?? []).filter(one => one !== 'editor' && one !== 'log' && !webhooks.has(one));
    for (const one of unknown) report(['monitoring', 'alerts', name, 'to'], `The alert "${name}" is not sent to "${one}": there is no such webhook that can be used.`);
    const sendsTo = (one: string): boolean => to === undefined || to.includes(one);
    alerts.push({
      name, when, above, forMs: (forMinutes ?? (when === 'endpoint-down' ? 5 : 0)) * 60_000, windowMs: (windowMinutes ?? 10) * 60_000, minRequests: minRequests ?? 20,
      webhooks: [...webhooks.keys()].filter(sendsTo), toEditor: sendsTo('editor'), toLog: sendsTo('log'),
      ...(only === undefined ? {} : { only: new Set(only.map(one => one.toLowerCase())) }),
    });
  }
  return alerts;
}

function entriesOf(section: 'alerts' | 'webhooks', written: unknown, report: Report): [string, unknown][] {
  if (written === undefined || written === null) return [];
  if (isObject(written)) return Object.entries(written);
  report(['monitoring', section], `"monitoring.${section}" must be a mapping of names to ${section}.`);
  return [];
}

/** An address that messages can be sent to without being read on the way. */
function isAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && isPrivateHost(url.hostname)));
}
