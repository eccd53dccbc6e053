import type { StateSettings } from '../../api/state/stateSettings.ts';
import { isObject } from '../../base/json.ts';
import { isPrivateHost } from '../baseUrl.ts';
import { givenPart } from '../fields/addressPart.ts';
import { SettingTexts, type SettingText } from '../fields/settingTexts.ts';
import { schemaProblems, type Report } from '../schemaProblems.ts';
import type { RedisConfig, StateConfig } from './stateConfig.ts';
import { answersOf } from './resolveAnswers.ts';
import { stateSchema } from './stateSchema.ts';

const unusable = 'Redis is not used, and limits and budgets hold as while it is away:';

/**
 * Makes what servers share of what a user wrote. A mistake leaves the store configured and away, so that no limit is multiplied by the
 * number of servers.
 * @returns undefined where nothing is written
 */
export function resolveState(written: unknown, environment: Readonly<Record<string, string | undefined>>, report: Report): StateConfig | undefined {
  if (written === undefined || written === null) return undefined;
  const whole = isObject(written) && typeof written['redis'] === 'string' ? { ...written, redis: { url: written['redis'] } } : written;
  const wrong = schemaProblems(stateSchema, whole);
  for (const { path, text } of wrong) report(['state', ...path], `${unusable} ${text}`);
  const { redis, whenAway, answers: writtenAnswers } = wrong.length === 0 ? whole as StateSettings : {};
  const modes = { limits: whenAway?.limits ?? 'share', budgets: whenAway?.budgets ?? 'share' } as const;
  if (wrong.length > 0) return { redis: undefined, whenAway: modes, secrets: [] };
  if (redis === undefined) return undefined;
  const secrets: string[] = [];
  const texts = new SettingTexts(['state', 'redis'], unusable, environment, report);
  const login = { url: texts.read('url', redis.url), username: texts.read('username', redis.username), password: texts.read('password', redis.password) };
  const ofTls = (text: string | undefined): string | undefined => texts.read('tls', text)?.text;
  const tls = redis.tls === undefined ? undefined : {
    caFile: ofTls(redis.tls.caFile), certFile: ofTls(redis.tls.certFile), keyFile: ofTls(redis.tls.keyFile), serverName: ofTls(redis.tls.serverName),
  };
  const made = texts.areRead ? redisOf(redis, login, tls) : undefined;
  if (typeof made === 'string') report(['state', 'redis', 'url'], `${unusable} ${made}`);
  const answers = answersOf(writtenAnswers, environment, report);
  if (answers !== undefined) secrets.push(answers.secret);
  const usable = typeof made === 'object' ? made : undefined;
  if (usable?.password !== undefined) secrets.push(usable.password);
  if (login.url?.text.includes('@') === true) secrets.push(login.url.text);
  return { redis: usable, whenAway: modes, ...(answers === undefined ? {} : { answers }), secrets };
}

/** @returns what is wrong, as a sentence that repeats nothing of the address but its host */
function redisOf(settings: NonNullable<StateSettings['redis']>, { url: address, username, password }: Record<'url' | 'username' | 'password', SettingText | undefined>, tls: RedisConfig['tls']): RedisConfig | string {
  const url = address !== undefined && URL.canParse(address.text) ? new URL(address.text) : undefined;
  if (url === undefined || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') return '"url" must be an address such as redis://redis.internal:6379 or rediss://redis.example.com:6380.';
  const database = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if (database === undefined || url.search !== '' || url.hash !== '') return '"url" must end with the number of a database, or before it.';
  if ((url.password !== '' && address?.isFromEnvironment === false) || password?.isFromEnvironment === false) return 'a password must not stand in this file; put it into an environment variable and write ${NAME} here.';
  const isEncrypted = url.protocol === 'rediss:';
  if (!isEncrypted && tls !== undefined) return '"tls" is for an address that begins with rediss://.';
  if (!isEncrypted && !isPrivateHost(url.hostname)) return `redis:// would send what is counted in clear text to ${url.hostname}; use rediss://.`;
  if (settings.cluster === true && Number(database) > 0) return 'a cluster has no other database than 0.';
  if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined)) return '"certFile" and "keyFile" are given together.';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 6379 : Number(url.port), database: Number(database),
    username: username?.text ?? givenPart(url.username), password: password?.text ?? givenPart(url.password),
    prefix: settings.prefix ?? 'waybill', cluster: settings.cluster ?? false, tls: isEncrypted ? tls ?? {} : undefined,
    connectTimeoutMs: settings.connectTimeoutMs ?? 100, commandTimeoutMs: settings.commandTimeoutMs ?? 100,
  };
}
