import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { parseCommand } from '../../../server/app/commandLine/parse.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { parseYamlConfig } from '../../../server/config/yamlConfig.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import { isInstalled } from '../../support/isInstalled.ts';
import { blocksOf } from '../../support/pageBlocks.ts';

interface Compose {
  services: Record<string, { ports?: string[] }>;
  secrets: Record<string, { file: string }>;
}

const root = path.join(import.meta.dirname, '..', '..', '..');
const textOf = (...names: string[]): string => readFileSync(path.join(root, ...names), 'utf8');
const page = textOf('docs', 'deploy.md');
const containers = page.slice(page.indexOf('\n## In containers\n'));
const compose = parse(textOf('deploy', 'compose.yaml'), { merge: true }) as Compose;
const blocks = blocksOf('docs/deploy.md');

/** Docker's commands of the page, in blocks and within sentences, as lists of words. */
const dockerCommands = [
  ...blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n')), ...[...page.matchAll(/`(docker [^`]+)`/g)].map(([, command]) => command ?? ''),
].filter(line => line.startsWith('docker ')).map(line => line.split(' '));

/** What a service is named for by each command of Docker Compose: all words behind its options. */
const servicesNamedBy: Readonly<Record<string, (words: string[]) => string[]>> = {
  up: words => words, build: words => words, down: words => words, restart: words => words, exec: words => words.slice(0, 1),
};

describe('the commands of docs/deploy.md for containers', () => {
  it('name services of deploy/compose.yaml', () => {
    const composed = dockerCommands.filter(([, command]) => command === 'compose').map(([, , action = '', ...words]) => ({ action, words: words.filter(word => !word.startsWith('--')) }));
    assert.deepEqual([...new Set(composed.map(({ action }) => action))].sort(), ['build', 'down', 'exec', 'restart', 'up']);
    for (const { action, words } of composed) {
      const named = servicesNamedBy[action]?.(words) ?? assert.fail(action);
      assert.deepEqual(named.filter(name => !(name in compose.services)), [], action);
    }
    // "and `router-2` after it"
    for (const [, name = ''] of containers.matchAll(/`((?:router|redis|postgres|balancer|prometheus|grafana)(?:-\d+)?)`/g)) assert.ok(name in compose.services, name);
  });

  it('run a program that the image has, with a command line that it understands', () => {
    const [, , program, ...line] = dockerCommands.find(([, , action]) => action === 'exec')?.slice(2) ?? [];
    const entry = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(textOf('deploy', 'Dockerfile'))?.[1] ?? '[]') as string[];
    assert.deepEqual([program, line[0]], entry);
    assert.equal(parseCommand(line.slice(1)).command, 'status');
  });

  it('build the image from a file that is there', () => {
    const build = dockerCommands.find(([, command]) => command === 'build');
    assert.ok(build !== undefined && existsSync(path.join(root, build[build.indexOf('-f') + 1] ?? '')), build?.join(' '));
    assert.equal(build.at(-1), '.');
  });

  it('ask at ports that are published, for routes that are configured', () => {
    const published = Object.values(compose.services).flatMap(({ ports = [] }) => ports.map(port => port.split(':').slice(0, 2).join(':')));
    const asked = [...containers.matchAll(/http:\/\/(127\.0\.0\.1:\d+)/g)].map(([, address]) => address ?? '');
    assert.ok(asked.length >= 4);
    assert.deepEqual(asked.filter(address => !published.includes(address)), []);
    const { routes } = parse(textOf('deploy', 'waybill.yaml')) as { routes: object };
    const models = [...containers.matchAll(/"model": "([^"]+)"/g)].map(([, model]) => model ?? '');
    assert.ok(models.length > 0 && models.every(model => model in routes), models.join());
  });
});

describe('what docs/deploy.md writes for containers', { skip: isInstalled('bash') && isInstalled('openssl', 'version') ? false : 'bash and openssl are not both installed' }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-deploy-'));
  const deploy = path.join(folder, 'deploy');
  after(() => { rmSync(folder, { recursive: true, force: true }); });
  before(() => {
    const programs = path.join(folder, 'bin');
    for (const one of [programs, deploy]) mkdirSync(one);
    // Containers are started elsewhere; what stands before that is done here.
    writeFileSync(path.join(programs, 'docker'), '#!/bin/sh\n');
    chmodSync(path.join(programs, 'docker'), 0o755);
    const [start] = blocks.filter(({ language, part }) => part === 'In containers' && language === 'sh');
    assert.ok(start !== undefined && start.text.includes('docker compose up'));
    execFileSync('bash', ['-e', '-c', start.text], { cwd: deploy, env: { PATH: [programs, process.env['PATH']].join(path.delimiter), HOME: folder }, stdio: ['ignore', 'ignore', 'inherit'] });
  });

  it('sets every variable without which Docker Compose refuses to start', () => {
    const set = new Map(readFileSync(path.join(deploy, '.env'), 'utf8').split('\n').filter(line => line !== '').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    const used = [...textOf('deploy', 'compose.yaml').matchAll(/(?<!\$)\$\{(\w+)(:\?)?/g)];
    const wanted = used.filter(([, , isWanted]) => isWanted !== undefined).map(([, name]) => name ?? '');
    assert.ok(wanted.length >= 3);
    assert.deepEqual(wanted.filter(name => (set.get(name) ?? '').length < 32), []);
    assert.deepEqual([...set.keys()].filter(name => !used.some(([, one]) => one === name)), [], 'nothing uses these');
  });

  it('makes every file of a secret, and keeps other users out', () => {
    for (const { file } of Object.values(compose.secrets)) assert.match(readFileSync(path.join(deploy, file), 'utf8'), /^[0-9a-f]{64}\n$/);
    const modeOf = (name: string): number => statSync(path.join(deploy, name)).mode & 0o777;
    assert.deepEqual(['.env', 'secrets', 'secrets/authorization', 'secrets/endpoint_token'].map(modeOf), [0o600, 0o700, 0o600, 0o444]);
    assert.equal(readFileSync(path.join(deploy, 'secrets', 'authorization'), 'utf8'), `Authorization: Bearer ${readFileSync(path.join(deploy, 'secrets', 'endpoint_token'), 'utf8')}`);
  });
});

describe('what docs/deploy.md shows for two processes', () => {
  const shown = (language: string, section: string): string => blocks.find(block => block.language === language && block.section === section)?.text ?? assert.fail(section);

  it('has endpoints and routes without a mistake', () => {
    const { problems } = parseYamlConfig(shown('yaml', 'Your providers'), 'waybill.yaml', { OPENAI_API_KEY: 'sk-one', ANTHROPIC_API_KEY: 'sk-two' }, { catalog: { providers, findProvider }, supportedProtocols });
    assert.deepEqual(problems, []);
  });

  it('has a service that starts each replica as the commands of the page do', () => {
    const unit = new Map(shown('ini', 'As services').split('\n').filter(line => line.includes('=')).map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    const [program, ...line] = (unit.get('ExecStart') ?? '').split(' ');
    assert.equal(path.posix.basename(program ?? ''), 'waybill');
    const started = blocks.filter(({ section }) => section === 'Start').flatMap(({ text }) => text.split('\n')).filter(one => one.startsWith('waybill serve ')).map(one => parseCommand((one.split(' 2> ')[0] ?? '').split(' ').slice(1)));
    assert.equal(started.length, 2);
    assert.deepEqual(['1', '2'].map(instance => parseCommand(line.map(word => word.replaceAll('%i', instance)))), started);
    // A drain of 5 and 20 seconds, and 3 seconds of last copies.
    assert.ok(Number(unit.get('TimeoutStopSec')) > 28);
  });
});
