import type { ListenSettings } from '../../api/listen/listenSettings.ts';
import { isObject } from '../../base/json.ts';
import { isRange } from '../fields/addressRanges.ts';
import { SettingTexts } from '../fields/settingTexts.ts';
import { schemaProblems, type ConfigPath, type Report } from '../schemaProblems.ts';
import { isAddress, isHostName, isSafe, type ListenConfig } from './listenConfig.ts';
import { listenSchema } from './listenSchema.ts';

const unusable = 'Where the server listens is not clear:';

/**
 * Reads where `serve` listens.
 * @returns undefined where nothing is written; `wrong` where something is wrong with it, which is reported: a server must not listen where it was not meant to
 */
export function resolveListen(written: unknown, environment: Readonly<Record<string, string | undefined>>, report: Report): ListenConfig | 'wrong' | undefined {
  if (written === undefined || written === null) return undefined;
  const wrong = schemaProblems(listenSchema, written);
  for (const { path, text } of wrong) report(['listen', ...path], `${unusable} ${text}`);
  if (wrong.length > 0 || !isObject(written)) return 'wrong';
  const { host, port, tls, behindProxy, hostNames, trustedProxies } = written as ListenSettings;
  const texts = new SettingTexts(['listen'], unusable, environment, report);
  const read = (name: string, text: string): string => texts.read(name, text)?.text ?? '';
  const listen: ListenConfig = {
    ...(host === undefined ? {} : { host: read('host', host) }), ...(port === undefined ? {} : { port }), ...(behindProxy === undefined ? {} : { behindProxy }),
    ...(tls === undefined ? {} : { tls: { certFile: read('tls', tls.certFile), keyFile: read('tls', tls.keyFile) } }),
    ...(hostNames === undefined ? {} : { hostNames: hostNames.map(name => read('hostNames', name).toLowerCase()) }),
    ...(trustedProxies === undefined ? {} : { trustedProxies: trustedProxies.map(range => read('trustedProxies', range)) }),
  };
  if (!texts.areRead) return 'wrong';
  const problems = problemsOf(listen);
  for (const { path, text } of problems) report(['listen', ...path], `${unusable} ${text}`);
  return problems.length === 0 ? listen : 'wrong';
}

function problemsOf(listen: ListenConfig): { path: ConfigPath; text: string }[] {
  const { host, hostNames = [], trustedProxies = [] } = listen;
  const problems: { path: ConfigPath; text: string }[] = [];
  if (host !== undefined && !isAddress(host)) problems.push({ path: ['host'], text: '"host" must be an IP address such as 0.0.0.0; "hostNames" has the names by which callers reach it.' });
  else if (!isSafe(listen)) problems.push({ path: ['host'], text: 'other machines could read tokens and prompts on their way to "host": add "tls" with "certFile" and "keyFile", or "behindProxy: true" where a proxy in front has TLS.' });
  for (const [index, name] of hostNames.entries()) if (!isHostName(name)) problems.push({ path: ['hostNames', index], text: `"hostNames[${index}]" must be a name without scheme and port, such as waybill.example.com.` });
  for (const [index, range] of trustedProxies.entries()) if (!isRange(range)) problems.push({ path: ['trustedProxies', index], text: `"trustedProxies[${index}]" must be an IP address or a CIDR range such as 10.0.0.0/8.` });
  return problems;
}
