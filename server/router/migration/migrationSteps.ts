import type { MigrationStep } from '../../api/reports/migration.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import type { ComparedPlace } from '../savings/baseline.ts';

export interface StepsInput {
  places: readonly ComparedPlace[];
  /** The route that most of the requests took; undefined: none took one. */
  route: string | undefined;
  /** Requests of that route, or of all, in a day. */
  perDay: number;
  table: RouteTable;
  /** Where most requests go now. */
  now: string | undefined;
}

/** The shares of a canary, in per cent; see the settings' own default. */
const stages = [5, 15, 30, 50, 100];
const leastOfArm = 50;

/** The way there in stages that can each be taken back, with the very settings and commands. */
export function migrationSteps({ places, route, perDay, table, now }: StepsInput): MigrationStep[] {
  const [place] = places;
  if (place === undefined) return [];
  const configured = place.target !== undefined;
  const endpoint = configured ? place.endpoint : place.provider.id;
  const to = `${endpoint}/${place.model}`;
  const named = route ?? 'migration';
  const steps: MigrationStep[] = [];
  if (!configured) {
    steps.push({
      title: `Add ${place.provider.name}`, text: 'In the editor: "Waybill: Add Provider…", which asks for the key and keeps it in the secret store. Headless: the lines below, with the key in the environment.',
      code: [{ language: 'yaml', text: `endpoints:\n  ${key(endpoint)}:\n    provider: ${place.provider.id}\n    keys: ["\${${endpoint.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_KEY}"]` }],
    });
  }
  steps.push({
    title: 'Try it by hand', text: `Ask for ${to} by its name, from the model picker or from a tool, with work of your own: tools, long prompts, and what the table above calls missing or unknown. Nothing else goes there yet.`,
  });
  if (route === undefined) {
    steps.push({
      title: 'Put a route before it', text: 'Most requests name a model and no route, so nothing can move them in stages. Make a route with the target that serves them now, and let tools ask for it.',
      code: [{ language: 'yaml', text: `routes:\n  ${named}:\n    targets: [${key(now ?? 'ENDPOINT/MODEL')}]` }],
    });
  }
  const targets = (route === undefined ? undefined : table.config.routes.get(route)?.targets.map(target => `${target.endpoint}/${target.model}`)) ?? [now ?? 'ENDPOINT/MODEL'];
  const list = targets.map(key).join(', ');
  steps.push({
    title: 'Compare the answers', text: 'A shadow sends copies of a share of the requests there. No caller waits for them or sees them, its tool calls are never run, and its own budget bounds what it costs. Its report says whether the target is ready, and why.',
    code: [
      { language: 'yaml', text: `routes:\n  ${key(named)}:\n    targets: [${list}]\n    shadow:\n      target: ${key(to)}` },
      { language: 'sh', text: `server.js shadow start ${shell(named)}\nserver.js shadow status ${shell(named)}\nserver.js shadow stop ${shell(named)}` },
    ],
  });
  steps.push({
    title: 'Move the route in stages',
    text: `A canary sends ${stages.join(', ')} % of the conversations there and takes itself back when it fails, is slow, or costs more than the gate allows. ${paceText(perDay)}`
      + (places.length === 1 ? '' : ` The models that are used would go to ${String(places.length)} models there: give each its own route, as below, with ${places.slice(0, 5).map(one => one.name).join(', ')}.`),
    code: [
      { language: 'yaml', text: `routes:\n  ${key(named)}:\n    targets: [${list}]\n    canary:\n      targets: [${key(to)}]\n      advance: ${perDay < 1 ? 'manual' : 'requests'}\n      gates: { costRatio: 1.5 }` },
      { language: 'sh', text: `server.js canary start ${shell(named)}\nserver.js canary status ${shell(named)}\nserver.js canary rollback ${shell(named)}   # at any time` },
    ],
  });
  steps.push({
    title: 'Make it the first target', text: 'After the last stage, put it first and keep what served before behind it, so that a failure there is still invisible. Remove `canary`.',
    code: [{ language: 'yaml', text: `routes:\n  ${key(named)}:\n    targets: [${[to, ...targets.filter(one => one !== to)].map(key).join(', ')}]` }],
  });
  steps.push({
    title: 'Look back', text: `After a week: "Waybill: Show Savings…" against ${now ?? 'what served before'}, and "Waybill: Reconcile Bill…" for what ${place.provider.name} really charged. Going back is the list of targets as it was.`,
    code: [{ language: 'sh', text: `server.js savings ${shell(now ?? 'first')} --days 7` }],
  });
  return steps;
}

function paceText(perDay: number): string {
  if (perDay < 1) return 'There are fewer than one request a day, so a stage by requests takes long: advance it by hand.';
  const first = perDay * (stages[0] ?? 5) / 100;
  const days = Math.ceil(leastOfArm / Math.max(first, 0.001));
  return `With about ${Math.round(perDay).toLocaleString('en-US')} requests a day, the first stage sends about ${first < 10 ? first.toFixed(1) : String(Math.round(first))} a day there`
    + `${days > 7 ? `, so that ${String(leastOfArm)} of them take ${String(days)} days: begin with a larger share, such as \`stages: [20, 50, 100]\`.` : '.'}`;
}

/** A name in YAML. */
function key(name: string): string {
  return /^[A-Za-z][\w./-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off)$/i.test(name) ? name : JSON.stringify(name);
}

/** A name as one word of a shell. */
function shell(name: string): string {
  return /^[\w./-]+$/.test(name) ? name : `'${name.replaceAll('\'', '\'\\\'\'')}'`;
}
