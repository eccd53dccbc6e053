import { readExpiry, wrongExpiry } from '../../../api/access/accessText.ts';
import { accessProblem, type AccessSettings, type AllowedNames } from '../../../api/access/tokenAccess.ts';
import { spanMs } from '../../../api/localization/times.ts';
import { wrong, type Command, type Wrong } from '../command.ts';
import type { CommandSpec, Given } from '../commandSpec.ts';
import { data, isWrong, json, place, placeOf } from '../options.ts';

const usualGraceMs = 3_600_000;
const create = ['create'] as const;

const token: CommandSpec = {
  name: 'token', group: 'Access and tools', mostWords: 1,
  actions: {
    create: { text: 'makes a token for a person, a team or a program, and prints it once' },
    list: { text: 'lists tokens with what they may do' },
    revoke: { words: 'ID', text: 'ends one' },
    rotate: { words: 'ID', text: 'puts another one in its place, while the old one works on for the grace' },
  },
  summary: 'Makes, lists, ends and replaces tokens of the local endpoint. Running servers follow within a second.',
  notes: ['--routes without --models allows these routes and no model, and the other way round. docs/access.md says more.'],
  options: {
    name: { value: 'NAME', of: create, text: 'Whose it is. Required.' },
    routes: { value: 'A,B|all', of: create, text: 'Routes that it may use.' },
    models: { value: 'A,B|all', of: create, text: 'Models that it may use.' },
    'budget-day': { value: 'USD', of: create, text: 'US dollars a day.' },
    'budget-month': { value: 'USD', of: create, text: 'US dollars a month.' },
    rpm: { value: 'N', of: create, text: 'Requests a minute.' },
    tpm: { value: 'N', of: create, text: 'Tokens a minute.' },
    'at-once': { value: 'N', of: create, text: 'Requests at the same time.' },
    expires: { value: '7d|2026-12-24|never', of: create, text: 'When it ends. Default never.' },
    user: { value: 'NAME', of: create, text: 'The person it is for.' },
    team: { value: 'NAME', of: create, text: 'The team it is for.' },
    grace: { value: '1h', of: ['rotate'], text: 'How long the old token still works, or 0. Default 1h.' },
    ...data, ...json,
  },
  examples: [['waybill token create --name ci --routes best --budget-day 5', 'A token for a build machine']],
  read(given) {
    const at = { command: 'token', dataDir: given.value('data'), json: given.has('json') } as const;
    const [id] = given.words;
    switch (given.action) {
      case 'create': return id === undefined ? created(given) : wrong(`"${id}" is not known.`);
      case 'revoke': return id === undefined ? wrong('token revoke needs the id of a token: token list has it.') : { ...at, action: 'revoke', id };
      case 'rotate': {
        const grace = given.value('grace');
        const graceMs = grace === undefined ? usualGraceMs : grace === '0' ? 0 : spanMs(grace);
        if (graceMs === undefined) return wrong('--grace wants how long the old token still works, such as 15m, 1h or 7d, or 0.');
        return id === undefined ? wrong('token rotate needs the id of a token: token list has it.') : { ...at, action: 'rotate', id, graceMs };
      }
      default: return id === undefined ? { ...at, action: 'list' } : wrong(`"${id}" is not known.`);
    }
  },
};

function created(given: Given): Command | Wrong {
  const name = given.value('name');
  if (name === undefined) return wrong('token create needs --name, such as --name ci.');
  const [routes, models] = [namesOf(given.value('routes')), namesOf(given.value('models'))];
  const expiry = readExpiry(given.value('expires') ?? 'never', given.now);
  if (expiry === undefined) return wrong(wrongExpiry);
  const figures: (number | undefined)[] = [];
  for (const option of ['budget-day', 'budget-month', 'rpm', 'tpm', 'at-once']) {
    const text = given.value(option);
    if (text !== undefined && !/^\d{1,10}(?:\.\d{1,6})?$/.test(text)) return wrong(`--${option} wants a number, not "${text}".`);
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
  const problem = accessProblem(access, given.now);
  return problem === undefined ? { command: 'token', action: 'create', name, user: given.value('user'), team: given.value('team'), access, dataDir: given.value('data'), json: given.has('json') } : wrong(problem);
}

function namesOf(text: string | undefined): AllowedNames | undefined {
  if (text === undefined || text === 'all') return text;
  return text === 'none' ? [] : [...new Set(text.split(',').map(name => name.trim()).filter(name => name !== ''))];
}

const doctor: CommandSpec = {
  name: 'doctor', group: 'Access and tools', words: '[TOOL ...]', mostWords: 50,
  summary: 'Checks the connections of tools to the local endpoint: address, token, settings and variables that undo them.',
  notes: ['Exit code 0: nothing is wrong; 1: something is. docs/tools.md describes the tools.'],
  options: { fix: { text: 'Mends what is safe to mend.' }, ...place },
  read(given) {
    const at = placeOf(given);
    const odd = given.words.find(word => !/^[a-z][a-z-]*$/.test(word));
    if (odd !== undefined) return wrong(`"${odd}" is not known.`);
    return isWrong(at) ? at : { command: 'doctor', tools: given.words, fix: given.has('fix'), ...at };
  },
};

const mcp: CommandSpec = {
  name: 'mcp', group: 'Access and tools', mostWords: 0,
  summary: 'Serves tools to an agent over standard input and output (Model Context Protocol): spend, health, money left, why a request went where it went, where a task could go for less.',
  notes: ['They read the running server of the data folder or, while none runs, its ledger.'],
  options: { port: place['port'] ?? { text: '' }, ...data },
  read(given) {
    const at = placeOf(given);
    return isWrong(at) ? at : { command: 'mcp', port: at.port, dataDir: at.dataDir };
  },
};

export const accessSpecs = [token, doctor, mcp];
