import { mostDryRunDays } from '../api/rules/dryRun.ts';
import { canaryActions, type CanaryAction } from '../api/canary.ts';
import { usualIncidentDays } from '../api/reports/incidents.ts';
import { endpointActions, pauseEnd, wrongSpan, type EndpointAction } from '../api/endpoints/pause.ts';
import { tokenCommandOf, type TokenCommand } from './commands/tokenArguments.ts';
import { shadowActions, type ShadowAction } from '../api/shadow.ts';

/** Reports of the running server. */
export type ReportName = 'savings' | 'migration' | 'incidents';

/** What the command line asks for. A port that is undefined is looked for in the data folder. */
export type Command =
  | { command: 'serve'; configFile: string; port: number; dataDir: string | undefined; json: boolean }
  | { command: 'sandbox'; rest: string[] }
  | { command: 'doctor'; tools: string[]; port: number | undefined; dataDir: string | undefined; fix: boolean; json: boolean }
  | { command: 'canary'; action: CanaryAction; route: string | undefined; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'report'; report: ReportName; subject: string | undefined; days: number; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'shadow'; action: ShadowAction; route: string | undefined; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'endpoint'; action: EndpointAction | 'status'; endpoint: string | undefined; span: string | undefined; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'dry-run'; configFile: string; against: string | undefined; days: number; dataDir: string | undefined; json: boolean }
  | { command: 'language-server'; configFile: string | undefined; dataDir: string | undefined }
  | TokenCommand
  | { command: 'mcp'; port: number | undefined; dataDir: string | undefined }
  | { command: 'help' }
  | { command: 'wrong'; message: string };

export const defaultPort = 7717;

export const usage = `Usage:
  server.js serve --config FILE [--port N] [--data DIR] [--json]
      Serves the local endpoint on 127.0.0.1 with a YAML configuration. Port 0 takes a free one; default ${defaultPort}.
      --json: the first line on standard output is {"url":"http://127.0.0.1:PORT","tokenFile":"..."}.
  server.js sandbox [--json] [--ports A,B] [--config FILE]
      Serves two simulated providers, for trying things without keys. --config: writes a configuration for serve with both.
  server.js doctor [TOOL ...] [--port N] [--data DIR] [--fix] [--json]
      Checks the connections of tools to the local endpoint: address, token, settings and variables that undo them. --fix mends what is safe to mend.
  server.js canary start|status|promote|pause|rollback [ROUTE] [--port N] [--data DIR] [--json]
      Tells the running server of the data folder what to do with the canary of a route, and shows both arms side by side. start goes on with one that is paused.
  server.js savings [BASELINE] [--days N] [--port N] [--data DIR] [--json]
      Shows what the requests of the last days (default 30) saved against a baseline: first (default: the first target of each route), an endpoint, a provider, a model, or endpoint/model.
  server.js shadow start|status|stop [ROUTE] [--port N] [--data DIR] [--json]
      The same for the shadow of a route: copies of its requests go to another target, and the answers are compared.
  server.js endpoint status|pause|resume|probe|reset [ENDPOINT] [--for 15m|1h|2d|tomorrow] [--port N] [--data DIR] [--json]
      Shows what the endpoints of the running server can do now, or does something with one. pause: requests go around it, until then or until it is resumed. probe: asks it now. reset: forgets its failures.
  server.js dry-run --config FILE [--against FILE] [--days N] [--data DIR] [--json]
      Applies a configuration to the recorded requests of the last N days (default 1), and says what would have gone elsewhere and what it would have cost. Sends nothing. --against: the configuration in force; requests whose rules are the same in both stand as they were.
  server.js migration TO [--days N] [--port N] [--data DIR] [--json]
      Shows what the last days used, what that would cost at an endpoint, a provider, a model, or endpoint/model, what is missing there, and the way in stages.
  server.js incidents [ENDPOINT] [--days N] [--port N] [--data DIR] [--json]
      Shows when endpoints failed in the last days (default 7), for how long, who answered instead, and what that cost.
  server.js token create --name NAME [--routes A,B|all] [--models A,B|all] [--budget-day USD] [--budget-month USD] [--rpm N] [--tpm N] [--at-once N] [--expires 7d|2026-12-24|never] [--user NAME] [--team NAME] [--data DIR] [--json]
      Makes a token for a person, a team or a program, and prints it once. --routes without --models allows these routes and no model, and the other way round. --rpm, --tpm: requests and tokens a minute.
  server.js token list|revoke ID|rotate ID [--grace 1h] [--data DIR] [--json]
      Lists tokens with what they may do; ends one; puts another one in its place, while the old one works on for the grace (default 1h). Running servers follow within a second.
  server.js mcp [--port N] [--data DIR]
      Serves tools to an agent over standard input and output (Model Context Protocol): spend, health, money left, why a request went where it went, where a task could go for less. They read the running server of the data folder or, while none runs, its ledger.
  server.js --stdio | --node-ipc [--config FILE] [--data DIR]
      Runs as a language server.

Commands that ask a running server find it by the data folder (--data DIR; without it, the usual one). --port N asks at that port alone.
`;

/** Reads the command line. Nothing secret is ever accepted here: other users can see it. */
export function parseArguments(argv: readonly string[]): Command {
  const [first, ...rest] = argv;
  if (first === undefined || first === 'help' || argv.includes('--help') || argv.includes('-h')) return { command: 'help' };
  if (first === 'sandbox') return { command: 'sandbox', rest };
  if (first === 'token') return tokenCommandOf(rest, Date.now());
  const serve = first === 'serve';
  const doctor = first === 'doctor';
  const canary = first === 'canary';
  const shadow = first === 'shadow';
  const endpoint = first === 'endpoint';
  const dryRun = first === 'dry-run';
  const report = first === 'savings' || first === 'migration' || first === 'incidents' ? first : undefined;
  const mcp = first === 'mcp';
  const tools: string[] = [];
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const words = serve || doctor || canary || shadow || endpoint || report !== undefined || dryRun || mcp ? rest : argv;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [name = '', inline] = word.split(/=(.*)/s, 2);
    if (valueNames.has(name) || (report !== undefined && name === '--days') || (endpoint && name === '--for') || (dryRun && dryRunValues.has(name))) {
      const value = inline ?? words[++index];
      if (value === undefined || value === '') return { command: 'wrong', message: `${name} needs a value.` };
      values.set(name, value);
    } else if (flagNames.has(name) || (doctor && name === '--fix')) {
      flags.add(name);
    } else if (doctor && /^[a-z][a-z-]*$/.test(word)) {
      tools.push(word);
    } else if ((canary || shadow || endpoint) && !word.startsWith('-') && tools.length < 2) {
      tools.push(word);
    } else if (report !== undefined && !word.startsWith('-') && tools.length < 1) {
      tools.push(word);
    } else {
      return { command: 'wrong', message: `"${word}" is not known.` };
    }
  }
  const portText = values.get('--port');
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65_535)) return { command: 'wrong', message: `--port wants a number from 0 to 65535, not "${portText ?? ''}".` };
  if (mcp) return { command: 'mcp', port, dataDir: values.get('--data') };
  if (doctor) return { command: 'doctor', tools, port, dataDir: values.get('--data'), fix: flags.has('--fix'), json: flags.has('--json') };
  const place = { port, dataDir: values.get('--data'), json: flags.has('--json') };
  if (canary) return orderOf('canary', canaryActions, tools, place);
  if (shadow) return orderOf('shadow', shadowActions, tools, place);
  if (endpoint) return endpointOrder(tools, values.get('--for'), place);
  if (report !== undefined) {
    const days = Number(values.get('--days') ?? (report === 'incidents' ? usualIncidentDays : 30));
    if (!Number.isInteger(days) || days < 1 || days > 92) return { command: 'wrong', message: `--days wants a number from 1 to 92, not "${values.get('--days') ?? ''}".` };
    if (report === 'migration' && tools[0] === undefined) return { command: 'wrong', message: 'migration needs where to move: an endpoint, a provider, a model, or endpoint/model.' };
    return { command: 'report', report, subject: tools[0], days, port, dataDir: values.get('--data'), json: flags.has('--json') };
  }
  if (dryRun) {
    const file = values.get('--config');
    if (file === undefined) return { command: 'wrong', message: 'dry-run needs --config FILE.' };
    const daysText = values.get('--days') ?? '1';
    const days = Number(daysText);
    if (!Number.isInteger(days) || days < 1 || days > mostDryRunDays) return { command: 'wrong', message: `--days wants a whole number from 1 to ${mostDryRunDays}, not "${daysText}".` };
    return { command: 'dry-run', configFile: file, against: values.get('--against'), days, dataDir: values.get('--data'), json: flags.has('--json') };
  }
  if (!serve) {
    if (!flags.has('--stdio') && !flags.has('--node-ipc')) return { command: 'wrong', message: `"${first}" is not known.` };
    return { command: 'language-server', configFile: values.get('--config'), dataDir: values.get('--data') };
  }
  const configFile = values.get('--config');
  if (configFile === undefined) return { command: 'wrong', message: 'serve needs --config FILE.' };
  return { command: 'serve', configFile, port: port ?? defaultPort, dataDir: values.get('--data'), json: flags.has('--json') };
}

/** An order to a canary or a shadow. @param words the action, then the route */
function orderOf<Name extends string, Action extends string, Place>(command: Name, actions: readonly Action[], [action, route]: readonly string[], place: Place): { command: Name; action: Action; route: string | undefined } & Place | Extract<Command, { command: 'wrong' }> {
  const known = actions.find(one => one === action);
  if (known === undefined) return { command: 'wrong', message: action === undefined ? `${command} needs one of ${actions.join(', ')}.` : `"${action}" is not one of ${actions.join(', ')}.` };
  return { command, action: known, route, ...place };
}

/** An order to an endpoint. @param words the action, then the endpoint */
function endpointOrder<Place>([word, endpoint]: readonly string[], span: string | undefined, place: Place): { command: 'endpoint'; action: EndpointAction | 'status'; endpoint: string | undefined; span: string | undefined } & Place | Extract<Command, { command: 'wrong' }> {
  const actions = ['status', ...endpointActions] as const;
  const action = actions.find(one => one === word);
  if (action === undefined) return { command: 'wrong', message: word === undefined ? `endpoint needs one of ${actions.join(', ')}.` : `"${word}" is not one of ${actions.join(', ')}.` };
  if (action !== 'status' && endpoint === undefined) return { command: 'wrong', message: `endpoint ${action} needs the name of an endpoint.` };
  if (span !== undefined && action !== 'pause') return { command: 'wrong', message: 'Only endpoint pause has --for.' };
  if (span !== undefined && pauseEnd(span, Date.now()) === undefined) return { command: 'wrong', message: wrongSpan };
  return { command: 'endpoint', action, endpoint, span, ...place };
}

const dryRunValues = new Set(['--against', '--days']);
const valueNames = new Set(['--config', '--port', '--data', '--clientProcessId']);
const flagNames = new Set(['--json', '--stdio', '--node-ipc']);
