import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultPort, parseArguments, usage } from '../../../server/app/arguments.ts';

describe('the command line', () => {
  it('describes every option of the sandbox', () => {
    assert.match(usage, /sandbox \[--json\] \[--ports A,B\] \[--config FILE\]/);
  });

  const cases: readonly [string, ReturnType<typeof parseArguments>][] = [
    ['', { command: 'help' }],
    ['help', { command: 'help' }],
    ['serve --help', { command: 'help' }],
    ['serve --config f.yaml', { command: 'serve', configFile: 'f.yaml', port: defaultPort, dataDir: undefined, json: false }],
    ['serve --config=f.yaml --port=0 --data d --json', { command: 'serve', configFile: 'f.yaml', port: 0, dataDir: 'd', json: true }],
    ['serve --json --port 65535 --config a=b.yaml', { command: 'serve', configFile: 'a=b.yaml', port: 65_535, dataDir: undefined, json: true }],
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
    ['start', /"start" is not known/], ['--json', /not known/], ['serve --config f --key sk-x', /not known/],
  ] as const) it(`says what is wrong with "${words}"`, () => {
    const parsed = parseArguments(words.split(' '));
    assert.ok(parsed.command === 'wrong');
    assert.match(parsed.message, message);
  });

  it('describes itself, and offers no way to give a key', () => {
    assert.match(usage, new RegExp(String(defaultPort)));
    assert.ok(!/--key|--token/.test(usage));
  });
});
