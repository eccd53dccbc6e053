import { englishOf, said, type Said } from '../../api/localization/said.ts';
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
  const add = (title: Said, text: Said, ...code: NonNullable<MigrationStep['code']>): void => {
    steps.push({ title: englishOf(title), saidTitle: title, text: englishOf(text), saidText: text, ...(code.length === 0 ? {} : { code }) });
  };
  if (!configured) {
    add(
      said('Add {0}', place.provider.name), said('In the editor: "Waybill: Add Provider…", which asks for the key and keeps it in the secret store. Headless: the lines below, with the key in the environment.'),
      { language: 'yaml', text: `endpoints:\n  ${key(endpoint)}:\n    provider: ${place.provider.id}\n    keys: ["\${${endpoint.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_KEY}"]` },
    );
  }
  add(said('Try it by hand'), said('Ask for {0} by its name, from the model picker or from a tool, with work of your own: tools, long prompts, and what the table above calls missing or unknown. Nothing else goes there yet.', to));
  if (route === undefined) {
    add(
      said('Put a route before it'), said('Most requests name a model and no route, so nothing can move them in stages. Make a route with the target that serves them now, and let tools ask for it.'),
      { language: 'yaml', text: `routes:\n  ${named}:\n    targets: [${key(now ?? 'ENDPOINT/MODEL')}]` },
    );
  }
  const targets = (route === undefined ? undefined : table.config.routes.get(route)?.targets.map(target => `${target.endpoint}/${target.model}`)) ?? [now ?? 'ENDPOINT/MODEL'];
  const list = targets.map(key).join(', ');
  add(
    said('Compare the answers'), said('A shadow sends copies of a share of the requests there. No caller waits for them or sees them, its tool calls are never run, and its own budget bounds what it costs. Its report says whether the target is ready, and why.'),
    { language: 'yaml', text: `routes:\n  ${key(named)}:\n    targets: [${list}]\n    shadow:\n      target: ${key(to)}` },
    { language: 'sh', text: `waybill shadow start ${shell(named)}\nwaybill shadow status ${shell(named)}\nwaybill shadow stop ${shell(named)}` },
  );
  const stagesText = said('A canary sends {0} % of the conversations there and takes itself back when it fails, is slow, or costs more than the gate allows. {1}', stages.join(', '), paceText(perDay));
  add(
    said('Move the route in stages'),
    places.length === 1 ? stagesText : said('{0} The models that are used would go to {1} models there: give each its own route, as below, with {2}.', stagesText, places.length, places.slice(0, 5).map(one => one.name).join(', ')),
    { language: 'yaml', text: `routes:\n  ${key(named)}:\n    targets: [${list}]\n    canary:\n      targets: [${key(to)}]\n      advance: ${perDay < 1 ? 'manual' : 'requests'}\n      gates: { costRatio: 1.5 }` },
    { language: 'sh', text: `waybill canary start ${shell(named)}\nwaybill canary status ${shell(named)}\nwaybill canary rollback ${shell(named)}   # at any time` },
  );
  add(
    said('Make it the first target'), said('After the last stage, put it first and keep what served before behind it, so that a failure there is still invisible. Remove `canary`.'),
    { language: 'yaml', text: `routes:\n  ${key(named)}:\n    targets: [${[to, ...targets.filter(one => one !== to)].map(key).join(', ')}]` },
  );
  add(
    said('Look back'), said('After a week: "Waybill: Show Savings…" against {0}, and "Waybill: Reconcile Bill…" for what {1} really charged. Going back is the list of targets as it was.', now ?? said('what served before'), place.provider.name),
    { language: 'sh', text: `waybill savings ${shell(now ?? 'first')} --days 7` },
  );
  return steps;
}

function paceText(perDay: number): Said {
  if (perDay < 1) return said('There are fewer than one request a day, so a stage by requests takes long: advance it by hand.');
  const first = perDay * (stages[0] ?? 5) / 100;
  const days = Math.ceil(leastOfArm / Math.max(first, 0.001));
  const figures = [Math.round(perDay).toLocaleString('en-US'), first < 10 ? first.toFixed(1) : String(Math.round(first))] as const;
  if (days <= 7) return said('With about {0} requests a day, the first stage sends about {1} a day there.', ...figures);
  return said('With about {0} requests a day, the first stage sends about {1} a day there, so that {2} of them take {3} days: begin with a larger share, such as `stages: [20, 50, 100]`.', ...figures, leastOfArm, days);
}

/** A name in YAML. */
function key(name: string): string {
  return /^[A-Za-z][\w./-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off)$/i.test(name) ? name : JSON.stringify(name);
}

/** A name as one word of a shell. */
function shell(name: string): string {
  return /^[\w./-]+$/.test(name) ? name : `'${name.replaceAll('\'', '\'\\\'\'')}'`;
}
