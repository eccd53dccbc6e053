import { readExpiry, wrongExpiry } from '../../api/access/accessText.ts';
import { accessProblem, type AccessSettings, type AllowedNames } from '../../api/access/tokenAccess.ts';
import { spanMs } from '../../api/localization/times.ts';

const tokenActions = ['create', 'list', 'revoke', 'rotate'] as const;

interface Place { readonly dataDir: string | undefined; readonly json: boolean }
/** An order about tokens. @property graceMs how long the old token still works */
export type TokenCommand = { readonly command: 'token' } & Place & (
  { readonly action: 'create'; readonly name: string; readonly user: string | undefined; readonly team: string | undefined; readonly access: AccessSettings }
  | { readonly action: 'list' }
  | { readonly action: 'revoke'; readonly id: string }
  | { readonly action: 'rotate'; readonly id: string; readonly graceMs: number }
);
interface Wrong { readonly command: 'wrong'; readonly message: string }

const createValues = ['--name', '--routes', '--models', '--budget-day', '--budget-month', '--rpm', '--tpm', '--at-once', '--expires', '--user', '--team'] as const;
const usualGraceMs = 3_600_000;

/** Reads what stands behind `token`. @param now milliseconds since the epoch */
export function tokenCommandOf([word, ...rest]: readonly string[], now: number): TokenCommand | Wrong {
  const action = tokenActions.find(one => one === word);
  if (action === undefined) return wrong(word === undefined ? `token needs one of ${tokenActions.join(', ')}.` : `"${word}" is not one of ${tokenActions.join(', ')}.`);
  const known = new Set<string>(['--data', ...(action === 'create' ? createValues : action === 'rotate' ? ['--grace'] : [])]);
  const values = new Map<string, string>();
  let json = false;
  let id: string | undefined;
  for (let index = 0; index < rest.length; index++) {
    const part = rest[index] ?? '';
    const [name = '', inline] = part.split(/=(.*)/s, 2);
    if (known.has(name)) {
      const value = inline ?? rest[++index];
      if (value === undefined || value === '') return wrong(`${name} needs a value.`);
      values.set(name, value);
    } else if (part === '--json') json = true;
    else if (!part.startsWith('-') && id === undefined && (action === 'revoke' || action === 'rotate')) id = part;
    else return wrong(`"${part}" is not known.`);
  }
  const place = { command: 'token', dataDir: values.get('--data'), json } as const;
  switch (action) {
    case 'list': return { ...place, action };
    case 'create': return created(place, values, now);
    case 'revoke': return id === undefined ? wrong('token revoke needs the id of a token: token list has it.') : { ...place, action, id };
    case 'rotate': {
      const grace = values.get('--grace');
      const graceMs = grace === undefined ? usualGraceMs : grace === '0' ? 0 : spanMs(grace);
      if (graceMs === undefined) return wrong('--grace wants how long the old token still works, such as 15m, 1h or 7d, or 0.');
      return id === undefined ? wrong('token rotate needs the id of a token: token list has it.') : { ...place, action, id, graceMs };
    }
  }
}

function created(place: Place & { readonly command: 'token' }, values: ReadonlyMap<string, string>, now: number): TokenCommand | Wrong {
  const name = values.get('--name');
  if (name === undefined) return wrong('token create needs --name, such as --name ci.');
  const [routes, models] = [namesOf(values.get('--routes')), namesOf(values.get('--models'))];
  const expiry = readExpiry(values.get('--expires') ?? 'never', now);
  if (expiry === undefined) return wrong(wrongExpiry);
  const figures: (number | undefined)[] = [];
  for (const option of ['--budget-day', '--budget-month', '--rpm', '--tpm', '--at-once']) {
    const text = values.get(option);
    if (text !== undefined && !/^\d{1,10}(?:\.\d{1,6})?$/.test(text)) return wrong(`${option} wants a number, not "${text}".`);
    figures.push(text === undefined ? undefined : Number(text));
  }
  const [day, month, requestsPerMinute, tokensPerMinute, concurrency] = figures;
  const access: AccessSettings = {
    // Who names routes means these and no models, and the other way round.
    routes: routes ?? (models === undefined ? 'all' : []), models: models ?? (routes === undefined ? 'all' : []),
    ...(day === undefined ? {} : { dayMicroUsd: Math.round(day * 1e6) }), ...(month === undefined ? {} : { monthMicroUsd: Math.round(month * 1e6) }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }), ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }), ...(concurrency === undefined ? {} : { concurrency }),
    ...(expiry.at === undefined ? {} : { expiresAt: expiry.at }),
  };
  const problem = accessProblem(access, now);
  return problem === undefined ? { ...place, action: 'create', name, user: values.get('--user'), team: values.get('--team'), access } : wrong(problem);
}

function namesOf(text: string | undefined): AllowedNames | undefined {
  if (text === undefined || text === 'all') return text;
  return text === 'none' ? [] : [...new Set(text.split(',').map(name => name.trim()).filter(name => name !== ''))];
}

function wrong(message: string): Wrong {
  return { command: 'wrong', message };
}
