import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultPort } from '../../../server/app/commandLine/command.ts';
import { languageServerArguments } from '../../../server/app/commandLine/languageServer.ts';
import { helpText, parseCommand } from '../../../server/app/commandLine/parse.ts';
import { commandTable } from '../../../server/app/commandLine/table.ts';

const midday = new Date(2026, 10, 20, 12).getTime();
const parseArguments = (argv: readonly string[]): ReturnType<typeof parseCommand> | NonNullable<ReturnType<typeof languageServerArguments>> => languageServerArguments(argv) ?? parseCommand(argv, midday);

describe('the command line', () => {
  it('describes every option of the sandbox', () => {
    assert.match(helpText('sandbox'), /waybill sandbox \[--ports A,B\] \[--config FILE\] \[--json\]/);
  });

  const drain = { delayMs: undefined, timeoutMs: 20_000 };
  const cases: readonly [string, ReturnType<typeof parseArguments>][] = [
    ['', { command: 'help', of: undefined }],
    ['help', { command: 'help', of: undefined }],
    ['help spend', { command: 'help', of: 'spend' }],
    ['serve --help', { command: 'help', of: 'serve' }],
    ['--version', { command: 'version', json: false }],
    ['serve --config f.yaml', { command: 'serve', configFile: 'f.yaml', listen: {}, dataDir: undefined, json: false, drain }],
    ['serve --config f.yaml --drain-delay 1.5 --drain-timeout=0', { command: 'serve', configFile: 'f.yaml', listen: {}, dataDir: undefined, json: false, drain: { delayMs: 1500, timeoutMs: 0 } }],
    ['serve --config=f.yaml --port=0 --data d --json', { command: 'serve', configFile: 'f.yaml', listen: { port: 0 }, dataDir: 'd', json: true, drain }],
    ['serve --json --port 65535 --config a=b.yaml', { command: 'serve', configFile: 'a=b.yaml', listen: { port: 65_535 }, dataDir: undefined, json: true, drain }],
    ['sandbox --json --ports 1,2', { command: 'sandbox', rest: ['--json', '--ports', '1,2'] }],
    ['canary start coding --port 1', { command: 'canary', action: 'start', route: 'coding', port: 1, dataDir: undefined, json: false }],
    ['shadow start coding --port 1', { command: 'shadow', action: 'start', route: 'coding', port: 1, dataDir: undefined, json: false }],
    ['canary status --json --data d', { command: 'canary', action: 'status', route: undefined, port: undefined, dataDir: 'd', json: true }],
    ['endpoint status', { command: 'endpoint', action: 'status', endpoint: undefined, span: undefined, port: undefined, dataDir: undefined, json: false }],
    ['endpoint pause north --for 1h --port 1', { command: 'endpoint', action: 'pause', endpoint: 'north', span: '1h', port: 1, dataDir: undefined, json: false }],
    ['incidents north', { command: 'report', report: 'incidents', subject: 'north', days: 7, port: undefined, dataDir: undefined, json: false }],
    ['dry-run --config f', { command: 'dry-run', configFile: 'f', against: undefined, days: 1, dataDir: undefined, json: false }],
    ['dry-run --config f --against g --days 7 --data d --json', { command: 'dry-run', configFile: 'f', against: 'g', days: 7, dataDir: 'd', json: true }],
    ['token list --data d', { command: 'token', action: 'list', dataDir: 'd', json: false }],
    ['token create --name ci --routes best,cheap --budget-day 0.5 --rpm 60 --at-once=4 --user mai', { command: 'token', action: 'create', name: 'ci', user: 'mai', team: undefined, access: { routes: ['best', 'cheap'], models: [], dayMicroUsd: 500_000, requestsPerMinute: 60, concurrency: 4 }, dataDir: undefined, json: false }],
    ['token create --name all --json', { command: 'token', action: 'create', name: 'all', user: undefined, team: undefined, access: { routes: 'all', models: 'all' }, dataDir: undefined, json: true }],
    ['token rotate ci-x4k2 --grace 0', { command: 'token', action: 'rotate', id: 'ci-x4k2', graceMs: 0, dataDir: undefined, json: false }],
    ['check a.yaml b.yaml --json', { command: 'check', files: ['a.yaml', 'b.yaml'], json: true }],
    ['status --port 1', { command: 'status', port: 1, dataDir: undefined, json: false }],
    ['spend --days 2 --by team --where user=mai', { command: 'spend', range: { from: new Date(2026, 10, 19).getTime(), to: midday + 1 }, by: 'team', filter: { user: 'mai' }, port: undefined, dataDir: undefined, json: false }],
    ['spend --from 2026-11-01 --until 2026-11-02', { command: 'spend', range: { from: new Date(2026, 10, 1).getTime(), to: new Date(2026, 10, 3).getTime() }, by: 'model', filter: {}, port: undefined, dataDir: undefined, json: false }],
    ['titles count', { command: 'titles', action: 'count', dataDir: undefined, json: false }],
    ['titles forget --data d --json', { command: 'titles', action: 'forget', dataDir: 'd', json: true }],
    ['export --from 2026-11-20 --json --output f', { command: 'export', range: { from: new Date(2026, 10, 20).getTime(), to: midday + 1 }, filter: {}, format: 'jsonl', file: 'f', port: undefined, dataDir: undefined, json: true }],
    ['drill start north slow --for 30s --slow 2s', { command: 'drill', action: 'start', endpoint: 'north', fault: 'slow', durationMs: 30_000, model: undefined, keyId: undefined, slowMs: 2_000, port: undefined, dataDir: undefined, json: false }],
    ['drill stop', { command: 'drill', action: 'stop', id: undefined, port: undefined, dataDir: undefined, json: false }],
    ['--stdio', { command: 'language-server', configFile: undefined, dataDir: undefined }],
    ['--node-ipc --clientProcessId=77', { command: 'language-server', configFile: undefined, dataDir: undefined }],
    ['--stdio --config f --data d', { command: 'language-server', configFile: 'f', dataDir: 'd' }],
  ];
  for (const [words, expected] of cases) it(`understands "${words}"`, () => {
    assert.deepEqual(parseArguments(words.split(' ').filter(word => word !== '')), expected);
  });

  for (const [words, message] of [
    ['serve', /needs --config/], ['serve --config', /--config needs a value/], ['serve --config= --json', /--config needs a value/], ['serve --config f --port x', /--port/],
    ['serve --config f --port -1', /--port/], ['serve --config f --port 65536', /--port/], ['serve --config f --port 1.5', /--port/], ['serve --konfig f', /"--konfig" is not known/],
    ['canary', /canary needs one of start, status, promote, pause, rollback\./], ['shadow', /shadow needs one of start, status, stop\./], ['shadow begin', /"begin" is not one of start,/], ['canary begin', /"begin" is not one of start,/], ['canary start a b', /"b" is not known/],
    ['endpoint', /endpoint needs one of status, pause, resume, probe, reset\./], ['endpoint stop north', /"stop" is not one of status, pause,/], ['endpoint pause', /endpoint pause needs the name of an endpoint\./], ['endpoint pause north --for 1x', /A pause lasts 15m, 1h, 2d/], ['endpoint resume north --for 1h', /Only endpoint pause has --for\./],
    ['dry-run', /dry-run needs --config/], ['dry-run --config f --days 0', /--days wants a whole number from 1 to 31/], ['serve --config f --days 2', /"--days" is not known/],
    ['check', /check needs the name/], ['spend --by teem', /did you mean "team"/], ['spend --where colour=blue', /no field "colour"/], ['spend --days 3 --from 2026-11-01', /not both/], ['spend --from 2026-02-30', /wants a day/], ['spend --from 2026-11-02 --until 2026-11-01', /before --from/],
    ['spend --where text=x', /cannot be narrowed by text/], ['export --format xml', /csv, jsonl/], ['drill start', /needs an endpoint and a fault/], ['drill start a slaw', /did you mean "slow"/], ['drill start a down --slow 1s', /Only the fault slow/], ['drill start a down --for 2d', /from 1s to 24h/],
    ['drill status --for 5m', /Only drill start has --for/], ['token list --name x', /Only token create has --name/], ['serve --json=yes --config f', /--json takes no value/], ['sped', /did you mean "spend"/], ['serve --confg f', /did you mean "--config"/], ['serve --config --json', /--config needs a value/],
    ['start', /"start" is not known/], ['--json', /not known/], ['serve --config f --key sk-x', /not known/],
  ] as const) it(`says what is wrong with "${words}"`, () => {
    const parsed = parseArguments(words.split(' '));
    assert.ok(parsed.command === 'wrong');
    assert.match(parsed.message, message);
  });

  it('describes itself, and offers no way to give a secret', () => {
    assert.match(helpText('serve'), new RegExp(String(defaultPort)));
    for (const { name, options, summary } of commandTable) {
      const help = helpText(name);
      assert.ok(help.startsWith(summary) && help.includes(`waybill ${name}`), name);
      assert.ok(helpText(undefined).includes(`  ${name} `), `the overview names ${name}`);
      for (const [option, { text }] of Object.entries(options)) assert.ok(help.includes(`--${option}`) && text.endsWith('.'), `${name} --${option}`);
      assert.ok(!Object.keys(options).some(option => /token|secret|password|api-key/.test(option)), name);
    }
    assert.match(helpText(undefined), /0 +It was done[^]*3 +No running server was found/);
  });
});
