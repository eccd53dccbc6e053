import { hostname } from 'node:os';
import type { LedgerSettings, PostgresSettings } from '../../api/ledger/ledgerSettings.ts';
import { isObject } from '../../base/json.ts';
import { isPrivateHost } from '../baseUrl.ts';
import { givenPart } from '../fields/addressPart.ts';
import { SettingTexts, type SettingText } from '../fields/settingTexts.ts';
import { schemaProblems, type Report } from '../schemaProblems.ts';
import type { PostgresConfig, SharedLedgerConfig } from './ledgerConfig.ts';
import { ledgerSchema } from './ledgerSchema.ts';

const unusable = 'The shared ledger is not used, as if it were away:';
const dayMs = 86_400_000;
const encrypted: ReadonlySet<string> = new Set(['prefer', 'require', 'verify-ca', 'verify-full']);

/**
 * Makes the ledger that replicas share of what a user wrote. A mistake leaves it configured and away, so that sums are marked.
 * @returns undefined where nothing is written
 */
export function resolveLedger(written: unknown, environment: Readonly<Record<string, string | undefined>>, report: Report): SharedLedgerConfig | undefined {
  if (written === undefined || written === null) return undefined;
  // Whatever is wrong with it, the shared ledger is not concerned; see keepsTitles.
  const { keepTitles: _keepTitles, ...shared } = isObject(written) ? written : {};
  const whole = !isObject(written) ? written : typeof shared['postgres'] === 'string' ? { ...shared, postgres: { url: shared['postgres'] } } : shared;
  const wrong = schemaProblems(ledgerSchema, whole);
  for (const { path, text } of wrong) report(['ledger', ...path], `${unusable} ${text}`);
  if (wrong.length > 0) return { postgres: undefined, secrets: [] };
  const { postgres } = whole as LedgerSettings;
  if (postgres === undefined) return undefined;
  const texts = new SettingTexts(['ledger', 'postgres'], unusable, environment, report);
  const [url, password, caFile, name] = [texts.read('url', postgres.url), texts.read('password', postgres.password), texts.read('caFile', postgres.caFile), texts.read('name', postgres.name)];
  if (!texts.areRead || url === undefined) return { postgres: undefined, secrets: [] };
  const made = postgresOf({ ...postgres, caFile: caFile?.text, name: name?.text }, url, password);
  if (typeof made === 'string') report(['ledger', 'postgres', 'url'], `${unusable} ${made}`);
  const usable = typeof made === 'object' ? made : undefined;
  const secrets = [...usable?.password === undefined ? [] : [usable.password], ...url.text.includes('@') ? [url.text] : []];
  return { postgres: usable, secrets };
}

/** Whether the first words of conversations are to be kept. */
export function keepsTitles(written: unknown, report: Report): boolean {
  const keepTitles = isObject(written) ? written['keepTitles'] : undefined;
  if (keepTitles !== undefined && keepTitles !== null && typeof keepTitles !== 'boolean') report(['ledger', 'keepTitles'], 'Titles of conversations are not kept: "keepTitles" must be true or false.');
  return keepTitles === true;
}

/** @returns what is wrong, as a sentence that repeats nothing of the address but its host */
function postgresOf(settings: PostgresSettings, address: SettingText, password: SettingText | undefined): PostgresConfig | string {
  const example = '"url" must be an address such as postgres://waybill:PASSWORD@db.internal:5432/waybill.';
  // Without a host the address names a socket, which is no address to `URL`.
  const text = address.text.replace(/^(postgres(?:ql)?:\/\/(?:[^/?#@]*@)?)(?=[/?#])/, '$1socket');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') || url.hostname === '') return example;
  const folder = url.searchParams.get('host');
  if (folder === null ? text !== address.text : !folder.startsWith('/')) return example;
  const database = givenPart(url.pathname.slice(1));
  if (database === undefined || database.includes('/')) return '"url" must end with the name of a database, such as /waybill.';
  if ((url.password !== '' && !address.isFromEnvironment) || password?.isFromEnvironment === false) return 'a password must not stand in this file; put it into an environment variable and write ${NAME} here.';
  const mode = url.searchParams.get('sslmode');
  if (mode !== null && mode !== 'disable' && !encrypted.has(mode)) return `"sslmode" of "url" must be disable or one of ${[...encrypted].join(', ')}.`;
  const isPrivate = folder !== null || isPrivateHost(url.hostname);
  const tls = settings.tls ?? (mode === null ? settings.caFile !== undefined || !isPrivate : mode !== 'disable');
  if (!tls && settings.caFile !== undefined) return '"caFile" is for an encrypted connection; leave it out, or set "tls" to true.';
  if (!tls && !isPrivate) return `the connection would send records in clear text to ${url.hostname}; set "tls" to true.`;
  return {
    host: folder ?? url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 5432 : Number(url.port), database,
    user: givenPart(url.username), password: password?.text ?? givenPart(url.password), tls: tls ? { caFile: settings.caFile } : undefined,
    schema: settings.schema ?? 'waybill', connections: settings.connections ?? 4, keptMs: settings.retentionDays === undefined ? undefined : settings.retentionDays * dayMs,
    name: settings.name ?? hostname(),
  };
}
