import { isIP } from 'node:net';
import type { MetricsSettings } from '../../api/monitoring/monitoringSettings.ts';
import { isObject } from '../../base/json.ts';
import { schemaProblems, type ConfigPath } from '../schemaProblems.ts';
import { suggestion } from '../nearest.ts';
import type { MetricsConfig, MonitoringConfig } from './monitoringConfig.ts';
import { metricsSchema, monitoringSchema } from './monitoringSchema.ts';

type Report = (path: ConfigPath, message: string) => void;

/**
 * Makes the monitoring of what a user wrote. A mistake costs only the part that it stands in.
 * @returns undefined where nothing is switched on
 */
export function resolveMonitoring(written: unknown, report: Report): MonitoringConfig | undefined {
  if (written === undefined || written === null) return undefined;
  if (!isObject(written)) {
    report(['monitoring'], '"monitoring" must be a mapping, such as { "metrics": { "enabled": true } }.');
    return undefined;
  }
  const known = Object.keys(monitoringSchema.shape);
  for (const name of Object.keys(written)) {
    if (!known.includes(name)) report(['monitoring', name], `There is no "monitoring.${name}"${suggestion(name, known, `; fields here are ${known.join(', ')}.`)}`);
  }
  const metrics = metricsOf(written['metrics'], report);
  return metrics === undefined ? undefined : { metrics };
}

function metricsOf(written: unknown, report: Report): MetricsConfig | undefined {
  if (written === undefined || written === null) return undefined;
  const wrong = schemaProblems(metricsSchema, written);
  for (const { path, text } of wrong) report(['monitoring', 'metrics', ...path], `Metrics are left out: ${text}`);
  if (wrong.length > 0) return undefined;
  const { enabled, allow, models } = written as MetricsSettings;
  if (enabled === false) return undefined;
  const usable = (allow ?? []).filter((one, index) => {
    if (isNetwork(one)) return true;
    report(['monitoring', 'metrics', 'allow', index], `Metrics: "${one}" is no IP address and no network such as 10.0.0.0/8, so it may not read them without a token.`);
    return false;
  });
  return { allow: usable, models: models ?? [] };
}

/** An IP address, or one with the length of its network. */
function isNetwork(text: string): boolean {
  const [address = '', length, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128));
}
