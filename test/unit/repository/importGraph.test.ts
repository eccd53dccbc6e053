import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { circles, root, sourceFiles, sourceImports, type Import } from './importGraph.ts';

const { floors, clientFloors } = await import(pathToFileURL(path.join(root, 'eslint.config.mjs')).href) as Record<'floors' | 'clientFloors', readonly (readonly string[])[]>;
const imports = sourceImports();
const text = ({ from, to, typeOnly }: Import): string => `${from} -> ${to}${typeOnly ? ' (type)' : ''}`;

/** The room of a file: the folder below `server/` or `client/`; undefined for files beside the rooms. */
function roomOf(file: string, side: string): string | undefined {
  const [first, room, ...rest] = file.split('/');
  return first === side && rest.length > 0 ? room : undefined;
}

/** Imports from a floor to one above it, or to another room of the same floor for more than its types. */
function againstFloors(side: string, sideFloors: readonly (readonly string[])[]): string[] {
  const floorOf = (room: string): number => sideFloors.findIndex(rooms => rooms.includes(room));
  return imports.filter(({ from, to, typeOnly }) => {
    const [own, other] = [roomOf(from, side), roomOf(to, side)];
    if (own === undefined || other === undefined || own === other || own === 'sandbox' || other === 'sandbox') return false;
    return floorOf(other) > floorOf(own) || (floorOf(other) === floorOf(own) && !typeOnly);
  }).map(text);
}

/** What computes from its arguments alone: rooms, folders and files. */
const pure = ['server/protocols/', 'server/routing/', 'server/pricing/', 'server/exchange/machine/', 'server/exchange/attempt/machine.ts', 'server/health/breaker/'];
const isPure = (file: string): boolean => pure.some(place => file.startsWith(place));
/** Digests of `node:crypto` depend on their argument alone. */
const pureModules = new Set(['node:crypto']);
const clocksAndChance = /\b(?:Date\.now|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|random(?:UUID|Bytes|Int)|new Date\(\)|process\.\w+|fetch\()/;

describe('the import graph', () => {
  it('has every folder of server and client on a floor', () => {
    const known = { server: new Set([...floors.flat(), 'sandbox']), client: new Set(clientFloors.flat()) };
    for (const side of ['server', 'client'] as const) {
      const rooms = new Set(sourceFiles().map(file => roomOf(file, side)).filter(room => room !== undefined));
      assert.deepEqual([...rooms].filter(room => !known[side].has(room)), []);
      assert.deepEqual([...known[side]].filter(room => !rooms.has(room)), [], 'a floor names a room that is not there');
    }
  });

  it('goes down only, in the server', () => {
    assert.deepEqual(againstFloors('server', floors), []);
  });

  it('goes down only, in the client', () => {
    assert.deepEqual(againstFloors('client', clientFloors), []);
  });

  it('has no circle, type imports counted', () => {
    assert.deepEqual(circles(imports), []);
  });

  it('finds a circle that only a type import closes', () => {
    const closed: Import[] = [{ from: 'a.ts', to: 'b.ts', typeOnly: false }, { from: 'b.ts', to: 'c.ts', typeOnly: false }, { from: 'c.ts', to: 'a.ts', typeOnly: true }];
    assert.deepEqual(circles(closed), [['a.ts', 'b.ts', 'c.ts']]);
    assert.deepEqual(circles(closed.slice(0, 2)), []);
  });

  it('keeps files, sockets, clocks and chance out of what is pure', () => {
    assert.deepEqual(imports.filter(({ from, to }) => isPure(from) && to.startsWith('node:') && !pureModules.has(to)).map(text), []);
    const files = sourceFiles().filter(isPure);
    assert.deepEqual(pure.filter(place => !files.some(file => file.startsWith(place))), [], 'a place that is not there');
    const used = files.flatMap(file => {
      const [found] = clocksAndChance.exec(readFileSync(path.join(root, file), 'utf8')) ?? [];
      return found === undefined ? [] : [`${file}: ${found}`];
    });
    assert.deepEqual(used, []);
  });

  it('lets nothing but ledger/sqlite import node:sqlite', () => {
    assert.deepEqual(imports.filter(({ from, to }) => to === 'node:sqlite' && !from.startsWith('server/ledger/sqlite/')).map(text), []);
  });

  it('lets nothing but the composition root use ledger/sqlite', () => {
    const outside = imports.filter(({ from, to }) => to.startsWith('server/ledger/sqlite/') && !from.startsWith('server/ledger/sqlite/') && !from.startsWith('server/app/'));
    assert.deepEqual(outside.map(text), []);
  });

  it('lets nothing import the composition root but main.ts', () => {
    const inside = (file: string): boolean => file.startsWith('server/app/');
    assert.deepEqual(imports.filter(({ from, to }) => inside(to) && !inside(from) && from !== 'server/main.ts').map(text), []);
  });

  it('keeps folders to twenty-two files side by side', () => {
    const counts = new Map<string, number>();
    for (const file of sourceFiles()) counts.set(path.dirname(file), (counts.get(path.dirname(file)) ?? 0) + 1);
    assert.deepEqual([...counts].filter(([, count]) => count > 22), []);
  });
});
