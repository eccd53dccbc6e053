import type { AnswersSettings } from '../../api/state/stateSettings.ts';
import type { RouteConfig } from '../config.ts';
import { SettingTexts } from '../fields/settingTexts.ts';
import type { Report } from '../schemaProblems.ts';
import type { AnswersConfig, StateConfig } from './stateConfig.ts';

const unshared = 'Servers keep no answers for each other:';
const shortestSecret = 32;

/** @returns undefined where nothing is written, or it cannot be used */
export function answersOf(settings: AnswersSettings | undefined, environment: Readonly<Record<string, string | undefined>>, report: Report): AnswersConfig | undefined {
  if (settings === undefined) return undefined;
  const secret = new SettingTexts(['state', 'answers'], unshared, environment, report).read('secret', settings.secret);
  if (secret === undefined) return undefined;
  const wrong = !secret.isFromEnvironment ? 'the secret must not stand in this file; put it into an environment variable and write ${NAME} here.'
    : secret.text.length < shortestSecret ? `the secret must have at least ${String(shortestSecret)} characters; "openssl rand -base64 32" makes one.` : undefined;
  if (wrong !== undefined) {
    report(['state', 'answers', 'secret'], `${unshared} ${wrong}`);
    return undefined;
  }
  return { secret: secret.text, maxBytes: settings.maxBytes ?? 67_108_864, maxAnswerBytes: settings.maxAnswerBytes ?? 262_144, waitMs: settings.waitMs ?? 50 };
}

/** Leaves out that routes share answers where they cannot, and says why. @param isWritten the section `state.answers` stands in the configuration */
export function withSharedAnswers(routes: ReadonlyMap<string, RouteConfig>, state: StateConfig | undefined, isWritten: boolean, report: Report): ReadonlyMap<string, RouteConfig> {
  if (state?.answers !== undefined) return routes;
  const resolved = new Map<string, RouteConfig>();
  for (const [name, route] of routes) {
    const { responseCache } = route;
    if (responseCache?.replicas !== true) {
      resolved.set(name, route);
      continue;
    }
    resolved.set(name, { ...route, responseCache: { ...responseCache, replicas: false } });
    // What is wrong in the section is said there.
    if (state === undefined || !isWritten) report(['routes', name, 'responseCache', 'replicas'], `Route "${name}": its answers stay in the memory of this server: "replicas" wants ${state === undefined ? '"state" with a "redis" and with' : 'in "state"'} an "answers" with a "secret" that all servers have.`);
  }
  return resolved;
}
