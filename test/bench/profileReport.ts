import { pathToFileURL } from 'node:url';

/** What is used of V8's profile format (developer.chrome.com, Profiler.Profile). */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

interface Place { functionName: string; module: string }

const shownFunctions = 45;
const shownModules = 25;

/** Which module each line of a readable bundle comes from, by the comments that esbuild leaves. */
export function moduleNames(bundle: string): string[] {
  let current = '';
  return bundle.split('\n').map(line => {
    current = /^\s*\/\/ ((?:server|test|node_modules)\/\S+)$/.exec(line)?.[1] ?? current;
    return current;
  });
}

/** The functions and the modules that ran longest, by self time. */
export function hotSpots(profileText: string, modules: readonly string[], bundleFile: string): string {
  const profile = JSON.parse(profileText) as Profile;
  const bundleUrl = pathToFileURL(bundleFile).href;
  const places = new Map(profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) =>
    [id, { functionName: functionName === '' ? '(anonymous)' : functionName, module: url === bundleUrl ? modules[lineNumber] ?? '' : url }]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id])));
  // A function of the engine itself says little without who called it.
  const callerOf = (id: number): Place | undefined => {
    for (let at = parents.get(id); at !== undefined; at = parents.get(at)) {
      const place = places.get(at);
      if (place !== undefined && place.module !== '') return place;
    }
    return undefined;
  };
  const functions = new Map<string, number>();
  const rooms = new Map<string, number>();
  let busyUs = 0;
  for (const [index, id] of profile.samples.entries()) {
    const place = places.get(id);
    const spentUs = profile.timeDeltas[index] ?? 0;
    if (place === undefined || place.functionName === '(idle)') continue;
    busyUs += spentUs;
    const caller = place.module === '' ? callerOf(id) : undefined;
    add(functions, caller === undefined ? `${place.functionName}  ${place.module}` : `${place.functionName} for ${caller.functionName}  ${caller.module}`, spentUs);
    const module = caller?.module ?? place.module;
    add(rooms, module === '' || place.functionName.startsWith('(') ? place.functionName : roomOf(module), spentUs);
  }
  return [`Busy for ${(busyUs / 1e6).toFixed(2)} s`, '', ...lines(functions, busyUs, shownFunctions), '', 'By room or package', ...lines(rooms, busyUs, shownModules)].join('\n');
}

/** A room of the server, an npm package, or a part of Node. */
function roomOf(module: string): string {
  const parts = module.split('/');
  if (module.startsWith('server/')) return parts.slice(0, parts.length > 2 ? 2 : 1).join('/');
  if (module.startsWith('node_modules/')) return parts.slice(0, parts[1]?.startsWith('@') === true ? 3 : 2).join('/');
  return module.startsWith('node:') ? module : 'others';
}

function add(sums: Map<string, number>, name: string, spentUs: number): void {
  sums.set(name, (sums.get(name) ?? 0) + spentUs);
}

function lines(sums: ReadonlyMap<string, number>, wholeUs: number, shown: number): string[] {
  return [...sums].sort((left, right) => right[1] - left[1]).slice(0, shown)
    .map(([name, us]) => `${((us / wholeUs) * 100).toFixed(1).padStart(6)} %  ${(us / 1000).toFixed(0).padStart(7)} ms  ${name}`);
}
