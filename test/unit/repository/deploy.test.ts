import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { placeToListen } from '../../../server/app/commandLine/listenOptions.ts';
import { parseCommand } from '../../../server/app/commandLine/parse.ts';
import { isObject } from '../../../server/base/json.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { parseYamlConfig } from '../../../server/config/yamlConfig.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';

interface Service {
  image: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  secrets?: (string | { source: string })[];
  networks?: string[];
  depends_on?: unknown;
  stop_grace_period?: string;
  healthcheck?: { test: string[] };
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
}

const root = path.join(import.meta.dirname, '..', '..', '..');
const folder = path.join(root, 'deploy');
const textOf = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
const compose = parse(textOf('compose.yaml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const routers = services.filter(([, { image }]) => image === 'waybill:local');

/** Instructions of the Dockerfile in order, such as `['USER', '65532:65532']`. */
const instructions = textOf('Dockerfile').split('\n').filter(line => line !== '' && !line.startsWith('#')).map((line) => {
  const space = line.indexOf(' ');
  return [line.slice(0, space), line.slice(space + 1)] as const;
});
const lastStage = instructions.slice(instructions.findLastIndex(([name]) => name === 'FROM'));

function last(name: string): string {
  return lastStage.findLast(([one]) => one === name)?.[1] ?? assert.fail(`The last stage has no ${name}.`);
}

function jsonOf(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}

/** Paths at which the server answers, as its routes have them. */
function servedPaths(): string[] {
  const routes = path.join(root, 'server', 'inbound', 'http', 'routes');
  return readdirSync(routes).filter(file => file.endsWith('.ts')).flatMap(file => [...readFileSync(path.join(routes, file), 'utf8').matchAll(/\bpath: '([^']+)'/g)].map(([, found]) => found ?? ''));
}

/** The path at this server that a script asks. */
function askedBy(test: readonly string[]): string {
  return /http:\/\/127\.0\.0\.1:7717(\/[\w/]+)/.exec(test.join(' '))?.[1] ?? assert.fail(`Nothing is asked by ${test.join(' ')}`);
}

describe('the image', () => {
  it('is built from files that are there and are sent to the build', () => {
    const sent = new Set(textOf('Dockerfile.dockerignore').split('\n').filter(line => line.startsWith('!')).map(line => line.slice(1)));
    const sources = instructions.filter(([name, text]) => name === 'COPY' && !text.startsWith('--from=')).flatMap(([, text]) => text.split(' ').slice(0, -1));
    assert.ok(sources.length > 5);
    assert.deepEqual(sources.filter(source => !existsSync(path.join(root, source)) || !sent.has(source)), []);
    assert.deepEqual([...sent].filter(source => !sources.includes(source)), []);
  });

  it('takes from the build what the build makes, and nothing else', () => {
    const made = instructions.find(([name, text]) => name === 'RUN' && text.includes('npmPackage.mjs'))?.[1] ?? '';
    assert.match(made, /^node scripts\/npmPackage\.mjs \/out && tar -xzf \/out\/waybill-\*\.tgz -C \/out && mkdir -m 700 \/out\/data$/);
    const taken = lastStage.filter(([name]) => name === 'COPY').map(([, text]) => text.split(' ').at(-2));
    // An npm package is packed under the folder "package".
    assert.deepEqual(taken, ['/out/package', '/out/data']);
    const packer = readFileSync(path.join(root, 'scripts', 'npmPackage.mjs'), 'utf8');
    const [, program] = jsonOf(last('ENTRYPOINT'));
    assert.ok(packer.includes(`bin: { waybill: '${path.posix.relative('/app', program ?? '')}' }`), program);
  });

  it('runs as an ordinary user, ends in order, and is asked whether it lives', () => {
    assert.match(last('USER'), /^[1-9]\d*:[1-9]\d*$/);
    assert.ok(instructions.some(([name, text]) => name === 'COPY' && text.includes(`--chown=${last('USER')} `)), 'the data folder is of another user');
    assert.equal(last('STOPSIGNAL'), 'SIGTERM');
    assert.equal(last('VOLUME'), '/data');
    const health = last('HEALTHCHECK');
    assert.equal(askedBy(jsonOf(health)), '/waybill/live');
    assert.equal(jsonOf(health)[0], jsonOf(last('ENTRYPOINT'))[0]);
  });

  it('starts with a command line that the server understands', () => {
    const command = parseCommand(jsonOf(last('CMD')));
    assert.ok(command.command === 'serve');
    assert.equal(command.dataDir, '/data');
    assert.deepEqual(placeToListen(command.listen), { port: Number(last('EXPOSE')), forOthers: false }, 'other machines are let in by the image itself');
  });
});

describe('the example of two routers', () => {
  it('has images of a fixed version', () => {
    const images = [...instructions.filter(([name]) => name === 'FROM').map(([, text]) => text.split(' ')[0] ?? ''), ...services.map(([, { image }]) => image)];
    assert.deepEqual(images.filter(image => image !== 'waybill:local' && !/^[\w./-]+:(?=.*\d|nonroot)(?!latest)[\w.-]+$/.test(image)), []);
  });

  it('gives nothing more rights than it needs', () => {
    for (const [name, service] of services) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
      assert.deepEqual(service.cap_add ?? [], name === 'balancer' ? ['NET_BIND_SERVICE'] : [], name);
      assert.doesNotMatch(service.user ?? '', /^(?:0|root)\b/, name);
      assert.deepEqual((service.ports ?? []).filter(port => !/^127\.0\.0\.1:\d+:\d+$/.test(port)), [], name);
    }
    assert.deepEqual(routers.flatMap(([, { ports }]) => ports ?? []), []);
  });

  it('has no password of its own: each comes from the file that a person makes, or the start is refused', () => {
    const named = services.flatMap(([, { environment }]) => Object.entries(environment ?? {})).filter(([name]) => /PASSWORD|KEY|TOKEN|SECRET/.test(name));
    assert.ok(named.length >= 5);
    // A provider's key may be missing: its endpoint is then left out.
    assert.deepEqual(named.filter(([name, value]) => !(name.endsWith('_API_KEY') ? value === `\${${name}:-}` : /^\$\{[A-Z_]+:\?Write [A-Z_]+ into deploy\/\.env\}$/.test(value))), []);
    const ignored = readFileSync(path.join(root, '.gitignore'), 'utf8').split('\n');
    assert.ok(ignored.includes('deploy/.env') && ignored.includes('deploy/secrets/'));
    for (const { file } of Object.values(compose.secrets)) assert.match(file, /^\.\/secrets\//);
  });

  it('mounts files that are there, and names services, networks, volumes and secrets that it has', () => {
    for (const [name, service] of services) {
      for (const volume of service.volumes ?? []) {
        const source = volume.split(':')[0] ?? '';
        if (!source.startsWith('.')) assert.ok(source in compose.volumes, `${name}: ${source}`);
        else assert.ok(existsSync(path.join(folder, source)) && volume.endsWith(':ro'), `${name}: ${volume}`);
      }
      for (const network of service.networks ?? []) assert.ok(network in compose.networks, `${name}: ${network}`);
      for (const secret of service.secrets ?? []) assert.ok((typeof secret === 'string' ? secret : secret.source) in compose.secrets, name);
      const others = Array.isArray(service.depends_on) ? service.depends_on as string[] : Object.keys(isObject(service.depends_on) ? service.depends_on : {});
      assert.deepEqual(others.filter(other => !(other in compose.services)), [], name);
    }
  });

  it('starts routers with a command line that they understand, for every name by which they are asked', () => {
    assert.equal(routers.length, 2);
    const asked = [textOf('Caddyfile'), textOf('prometheus.yml')].map(text => [...text.matchAll(/\b(router-\d+):(\d+)/g)].map(([, name, port]) => ({ name, port: Number(port) })));
    for (const [name, { command: line, stop_grace_period: grace, healthcheck }] of routers) {
      const command = parseCommand(line ?? []);
      assert.ok(command.command === 'serve', JSON.stringify(command));
      const listens = placeToListen(command.listen);
      assert.ok(typeof listens === 'object' && listens.address?.hostNames.includes(name), name);
      for (const targets of asked) assert.ok(targets.some(target => target.name === name && target.port === listens.port), name);
      assert.equal(askedBy(healthcheck?.test ?? []), '/waybill/ready');
      assert.match(grace ?? '', /^(?:[3-9]\d|\d{3,})s$/);
    }
    assert.equal(new Set(routers.flatMap(([, { volumes }]) => (volumes ?? []).filter(volume => volume.endsWith(':/data')))).size, 2, 'each has a data folder of its own');
  });

  it('asks for paths that the server has', () => {
    const served = servedPaths();
    const asked = [...textOf('Caddyfile').matchAll(/health_uri (\S+)/g)].map(([, uri]) => uri ?? '');
    const checks = [jsonOf(last('HEALTHCHECK')), ...routers.map(([, { healthcheck }]) => healthcheck?.test ?? [])].map(askedBy);
    assert.equal(asked.length, 1);
    assert.deepEqual([...asked, ...checks].filter(one => !served.includes(one)), []);
  });

  it('has a configuration without a mistake, with what its containers have in their environment', () => {
    const environment = Object.fromEntries(Object.keys(routers[0]?.[1].environment ?? {}).map(name => [name, `of-${name}`]));
    const { config, problems } = parseYamlConfig(textOf('waybill.yaml'), 'waybill.yaml', environment, { catalog: { providers, findProvider }, supportedProtocols });
    assert.deepEqual(problems, []);
    assert.ok((config.state?.redis?.host ?? '') in compose.services);
    assert.equal(config.state?.redis?.password, 'of-REDIS_PASSWORD');
    assert.equal(parse(textOf('waybill.yaml')).ledger.postgres.url, 'postgres://waybill@postgres:5432/waybill');
  });

  it('shows the rules and the dashboard that the project has', () => {
    const prometheus = parse(textOf('prometheus.yml')) as { rule_files: string[]; scrape_configs: { job_name: string }[] };
    const mounts = services.flatMap(([, { volumes }]) => volumes ?? []).map(volume => volume.split(':')[1] ?? '');
    assert.deepEqual(prometheus.rule_files.filter(file => !mounts.includes(file)), []);
    // Rules ask for the job by this name.
    assert.deepEqual(prometheus.scrape_configs.map(({ job_name: job }) => job), ['waybill']);
    const boards = parse(textOf('grafana/dashboards.yaml')) as { providers: { options: { path: string } }[] };
    for (const { options } of boards.providers) assert.ok(mounts.some(mount => path.posix.dirname(mount) === options.path && mount.endsWith('.json')), options.path);
  });
});
