import { canaryActions } from '../../../api/canary.ts';
import { drillFaults, longestDrillMs, longestSlowMs, shortestDrillMs } from '../../../api/drill.ts';
import { endpointActions, pauseEnd, wrongSpan } from '../../../api/endpoints/pause.ts';
import { spanMs } from '../../../api/localization/times.ts';
import { shadowActions } from '../../../api/shadow.ts';
import { suggestion } from '../../../config/nearest.ts';
import { wrong, type Asked } from '../command.ts';
import type { ActionSpec, CommandSpec, Given } from '../commandSpec.ts';
import { isWrong, place, placeOf } from '../options.ts';

const status: CommandSpec = {
  name: 'status', group: 'A running server', mostWords: 0,
  summary: 'Shows the running server: version, endpoints, routes, budgets, spend of today, problems.',
  notes: ['Exit code 0: some route or model can serve; 1: none can; 3: no server runs.'],
  options: place,
  read(given) {
    const where = placeOf(given);
    return isWrong(where) ? where : { command: 'status', ...where };
  },
};

const endpointTexts: Readonly<Record<(typeof endpointActions)[number] | 'status', ActionSpec>> = {
  status: { words: '[ENDPOINT]', text: 'what endpoints can do now' },
  pause: { words: 'ENDPOINT', text: 'requests go around it, until it is resumed or the time of --for is over' },
  resume: { words: 'ENDPOINT', text: 'requests go there again' },
  probe: { words: 'ENDPOINT', text: 'asks it now' },
  reset: { words: 'ENDPOINT', text: 'forgets its failures' },
};

const endpoint: CommandSpec = {
  name: 'endpoint', group: 'A running server', mostWords: 1, actions: endpointTexts,
  summary: 'Shows what the endpoints of the running server can do now, or does something with one.',
  options: { for: { value: '15m|1h|2d|tomorrow', of: ['pause'], text: 'How long the pause lasts. Default: until it is resumed.' }, ...place },
  read(given) {
    const where = placeOf(given);
    const action = (['status', ...endpointActions] as const).find(one => one === given.action) ?? 'status';
    const span = given.value('for');
    if (isWrong(where)) return where;
    if (action !== 'status' && given.words[0] === undefined) return wrong(`endpoint ${action} needs the name of an endpoint.`);
    if (span !== undefined && pauseEnd(span, given.now) === undefined) return wrong(wrongSpan);
    return { command: 'endpoint', action, endpoint: given.words[0], span, ...where };
  },
};

const canary: CommandSpec = {
  name: 'canary', group: 'A running server', mostWords: 1,
  actions: {
    start: { words: '[ROUTE]', text: 'starts it, or goes on with one that is paused' }, status: { words: '[ROUTE]', text: 'shows both arms side by side' },
    promote: { words: '[ROUTE]', text: 'goes on to the next stage' }, pause: { words: '[ROUTE]', text: 'stays at the stage that it has' }, rollback: { words: '[ROUTE]', text: 'takes it back' },
  },
  summary: 'Tells the running server what to do with the canary of a route, and shows both arms side by side.',
  options: place,
  read(given) {
    const where = placeOf(given);
    const action = canaryActions.find(one => one === given.action) ?? 'status';
    return isWrong(where) ? where : { command: 'canary', action, route: given.words[0], ...where };
  },
};

const shadow: CommandSpec = {
  name: 'shadow', group: 'A running server', mostWords: 1,
  actions: { start: { words: '[ROUTE]', text: 'sends copies of requests to the other target' }, status: { words: '[ROUTE]', text: 'shows how the answers compare' }, stop: { words: '[ROUTE]', text: 'sends no more' } },
  summary: 'The same for the shadow of a route: copies of its requests go to another target, and the answers are compared.',
  options: place,
  read(given) {
    const where = placeOf(given);
    const action = shadowActions.find(one => one === given.action) ?? 'status';
    return isWrong(where) ? where : { command: 'shadow', action, route: given.words[0], ...where };
  },
};

const usualDrillMs = 5 * 60_000;

const drill: CommandSpec = {
  name: 'drill', group: 'A running server', mostWords: 2,
  actions: {
    start: { words: 'ENDPOINT FAULT', text: `makes an endpoint fail on purpose: ${drillFaults.join(', ')}` },
    status: { text: 'shows what runs, and how each route answers meanwhile' },
    stop: { words: '[ID]', text: 'ends one, or all, and sums up' },
  },
  summary: 'Fire drills: makes an endpoint of the running server fail on purpose, to see what takes over.',
  notes: ['down, rate-limit and dead-key send no request to the provider; slow and cut delay or truncate its answers. A drill ends by itself, and with its server.'],
  options: {
    for: { value: '5m', of: ['start'], text: 'How long it lasts, such as 30s, 5m or 1h. Default 5m.' },
    model: { value: 'MODEL', of: ['start'], text: 'Only this model of the endpoint.' },
    key: { value: 'ID', of: ['start'], text: 'Only this key of the endpoint, by its id (waybill status --json has it).' },
    slow: { value: '10s', of: ['start'], text: 'Of the fault slow: by how much answers are delayed. Default 10s.' },
    ...place,
  },
  examples: [['waybill drill start openai down --for 2m', 'What happens when OpenAI is down?']],
  read(given) {
    const where = placeOf(given);
    if (isWrong(where)) return where;
    if (given.action === 'start') return startOfDrill(given, where);
    if (given.action === 'stop') return given.words.length > 1 ? wrong(`"${given.words[1] ?? ''}" is not known.`) : { command: 'drill', action: 'stop', id: given.words[0], ...where };
    return given.words.length > 0 ? wrong(`"${given.words[0] ?? ''}" is not known.`) : { command: 'drill', action: 'status', ...where };
  },
};

function startOfDrill(given: Given, where: Asked): ReturnType<CommandSpec['read']> {
  const [name, word] = given.words;
  if (name === undefined || word === undefined) return wrong(`drill start needs an endpoint and a fault: ${drillFaults.join(', ')}.`);
  const fault = drillFaults.find(one => one === word);
  if (fault === undefined) return wrong(`"${word}" is no fault${suggestion(word, drillFaults, `; faults are ${drillFaults.join(', ')}.`)}`);
  const lasting = given.value('for');
  const durationMs = lasting === undefined ? usualDrillMs : spanOf(lasting);
  if (durationMs === undefined || durationMs < shortestDrillMs || durationMs > longestDrillMs) return wrong('--for wants how long the drill lasts, from 1s to 24h, such as 30s or 5m.');
  const slow = given.value('slow');
  if (slow !== undefined && fault !== 'slow') return wrong('Only the fault slow has --slow.');
  const slowMs = slow === undefined ? undefined : spanOf(slow);
  if (slow !== undefined && (slowMs === undefined || slowMs < 1 || slowMs > longestSlowMs)) return wrong('--slow wants by how much answers are delayed, at most 10m, such as 10s.');
  return { command: 'drill', action: 'start', endpoint: name, fault, durationMs, model: given.value('model'), keyId: given.value('key'), slowMs, ...where };
}

/** A span that may have seconds. @returns milliseconds; undefined: it is none */
function spanOf(text: string): number | undefined {
  const seconds = /^(\d{1,6})s$/.exec(text);
  return seconds === null ? spanMs(text) : Number(seconds[1]) * 1000;
}

export const runningSpecs = [status, endpoint, canary, shadow, drill];
