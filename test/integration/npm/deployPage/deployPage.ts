import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SpendReport } from '../../../../server/api/receipt.ts';
import { missingEngine, startPostgres } from '../../../support/engines/engines.ts';
import { folderOf, packages } from '../../../support/engines/programs.ts';
import { freePort } from '../../../support/freePort.ts';
import { isInstalled } from '../../../support/isInstalled.ts';
import { startRedis } from '../../../support/redisServer.ts';
import { until } from '../../support/serverProcess.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { blocksOf } from '../../../support/pageBlocks.ts';
import { PageShell } from './pageShell.ts';

const root = path.join(import.meta.dirname, '..', '..', '..', '..');
const ofPage = blocksOf('docs/deploy.md').filter(({ part }) => part === 'Without containers');

/** Ports of the page; each is another one here, because the page's may be taken. */
const pagePorts = ['5432', '6379', '7711', '7712', '7801', '7802', '8080'] as const;

/** Installs nothing, and lets commands of the administrator of the database in: it takes the place of sudo. */
const asAdministrator = (log: string, port: number, password: string): string => `#!/bin/sh
echo "$*" >> '${log}'
case "$1" in apt-get) exit 0;; esac
[ "$1 $2" = "-u postgres" ] || exit 1
shift 2
export PGHOST=127.0.0.1 PGPORT=${String(port)} PGUSER=postgres PGPASSWORD='${password}'
exec "$@"
`;

/** The commands of docs/deploy.md for two processes, run in their order as the page has them. */
export function describeDeployPage(): void {
  describe('docs/deploy.md without containers', { skip: missingEngine('redis', 'postgres') }, () => {
    const { folder, remove } = temporaryFolder();
    const home = path.join(folder, 'home');
    const sudoLog = path.join(folder, 'sudo.log');
    const port = new Map<string, number>();
    let shell: PageShell;

    const here = (text: string): string => pagePorts.reduce((changed, one) => changed.replaceAll(one, String(port.get(one))), text);
    const url = (one: typeof pagePorts[number]): string => `http://127.0.0.1:${String(port.get(one))}`;
    const inHome = (file: string): string => readFileSync(path.join(home, 'waybill', file), 'utf8');
    /** The commands of a section. */
    const commandsOf = (section: string): string[] => {
      const found = ofPage.filter(block => block.language === 'sh' && block.section === section).map(({ text }) => here(text));
      assert.ok(found.length > 0, `The page has no commands under "${section}".`);
      return found;
    };
    const runAll = async (section: string): Promise<string[]> => {
      const written: string[] = [];
      for (const commands of commandsOf(section)) written.push(await shell.run(commands));
      return written;
    };

    before(async () => {
      const [redis, postgres] = [await startRedis(), await startPostgres()];
      port.set('6379', redis.port).set('5432', postgres.port);
      for (const one of pagePorts) if (!port.has(one)) port.set(one, await freePort());
      const programs = path.join(folder, 'bin');
      for (const one of [programs, home]) mkdirSync(one);
      writeFileSync(path.join(programs, 'sudo'), asAdministrator(sudoLog, postgres.port, new URL(postgres.url).password));
      chmodSync(path.join(programs, 'sudo'), 0o755);
      shell = new PageShell(root, {
        PATH: [programs, path.dirname(process.execPath), folderOf('postgres'), process.env['PATH']].join(path.delimiter), HOME: home, LC_ALL: 'C', npm_config_offline: 'true', npm_config_update_notifier: 'false',
      });
    });
    after(() => {
      shell.end();
      remove();
    });

    it('installs the server and the databases that it names', async () => {
      await runAll('Install');
      const installed = readFileSync(sudoLog, 'utf8').split(/\s+/);
      for (const name of [packages.redis, packages.postgres]) assert.ok(installed.includes(name), name);
      const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
      assert.ok((await shell.run('command -v waybill; waybill version')).startsWith(`${path.join(home, '.local', 'bin', 'waybill')}\nwaybill ${version} `));
    });

    it('makes a database, a configuration without a mistake, and one token for both', async () => {
      await runAll('Passwords and the database');
      await runAll('One configuration and one token');
      assert.match(inHome('replica-1/token'), /^[0-9a-f]{64}\n$/);
      assert.equal(inHome('replica-2/token'), inHome('replica-1/token'));
    });

    it('starts two servers that know each other', async () => {
      const [logs] = await runAll('Start');
      assert.ok(logs?.includes(here('The shared store at 127.0.0.1:6379 is used, by 2 servers.')), logs);
    });

    it('answers through each of them, and counts one budget and one spend', async () => {
      const [ask, look, read] = commandsOf('Ask');
      assert.ok(ask !== undefined && look !== undefined && read !== undefined);
      assert.equal([...(await shell.run(ask)).matchAll(/"object":"chat\.completion"/g)].length, 2);
      let seen = '';
      await until('both see what both did', async () => {
        seen = await shell.run(look);
        const { budgets, spend } = answersOf(seen);
        return spend.totals.exchanges === 2 && budgets[0]?.spentMicroUsd === spend.totals.microUsd;
      }, 30_000).catch((error: unknown) => { throw new Error(`They show this: ${seen}`, { cause: error }); });
      const { budgets, spend } = answersOf(seen);
      assert.ok(spend.totals.microUsd > 0);
      assert.deepEqual(spend.scope, { replicas: 'all', count: 2 });
      assert.equal(budgets.length, 1);
      const shown = await shell.run(read);
      assert.match(shown, /\$0\.\d+ today by 2 replicas$/m);
      assert.match(shown, /^everything +\$0\.\d+ +\$10\.00$/m);
      assert.match(shown, /: 2 requests of 2 replicas$/m);
      assert.match(shown, /^sandbox-chat +\$0\.\d+ +2 /m);
      await until('the other one has the same of the budget', async () => {
        const other = await fetch(`${url('7711')}/waybill/budgets`, { headers: { authorization: `Bearer ${inHome('replica-1/token').trim()}` } });
        return (await other.json() as Budgets).budgets[0]?.spentMicroUsd === spend.totals.microUsd;
      }, 30_000);
    });

    it('lets a stream end at the replica that is stopped, while the other one serves', async () => {
      const [written = ''] = await runAll('Stop one of them');
      assert.match(written, /"object":"chat\.completion"/);
      assert.match(written, /data: \[DONE\]\n[^]*replica-1 has ended in order\./);
      assert.match(inHome('stream.txt'), /ten\./);
      assert.equal((await fetch(`${url('7712')}/waybill/ready`)).status, 200);
      await assert.rejects(fetch(`${url('7711')}/waybill/ready`));
    });

    it('answers through a balancer', { skip: isInstalled('caddy', 'version') ? false : 'caddy is not installed (apt-get install caddy)' }, async () => {
      const [written] = await runAll('Behind a balancer');
      assert.match(written ?? '', /"object":"chat\.completion"/);
    });
  });
}

interface Budgets { budgets: { spentMicroUsd: number }[] }

/** The two answers that stand one behind the other. */
function answersOf(text: string): Budgets & { spend: SpendReport } {
  const [budgets, spend] = text.replace(/\}\s*\{"range"/, '}\n{"range"').split('\n').filter(line => line.startsWith('{'));
  assert.ok(budgets !== undefined && spend !== undefined, text);
  return { ...JSON.parse(budgets) as Budgets, spend: JSON.parse(spend) as SpendReport };
}
