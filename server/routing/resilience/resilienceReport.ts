import type { RouteResilience } from '../../api/drill.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import { judgeTarget, plannedTarget } from '../makePlan.ts';
import type { ModelFacts, Requirements } from '../plan.ts';
import { resolveName } from '../resolveName.ts';
import { resilienceGaps } from './gaps.ts';
import { agentRequirements, chatRequirements, WhatIfView, ReportView, routesUnderTest, type RouteUnderTest, type ResilienceView } from './whatIfView.ts';
import { Losses, type JudgedLoss, type LookedAtLoss, type Shortcoming } from './losses.ts';

/** From this share of the usual context window on, another one counts as large enough. */
const enoughWindow = 0.8;

/**
 * What every route, and every model that several endpoints serve, survives: the loss of any one endpoint, key, model or
 * provider account, judged with a plain chat and with an agent's request, as things are configured and as they are now.
 *
 * @param view the state at one moment
 */
export function resilienceOf(view: ResilienceView): RouteResilience[] {
  const report = new ReportView(view);
  const [configured, present] = [new WhatIfView(report, undefined, false), new WhatIfView(report, undefined, true)];
  const losing = new Losses(report);
  return routesUnderTest(report).map(({ name, kind }) => {
    const route = look(name, kind, configured, present);
    const judged = losing.of(route).map(loss => judgeLoss(loss, route, report));
    const losses = judged.map(({ outcome }) => outcome);
    const gaps = resilienceGaps(route, judged, report);
    const ready = route.targets.some(target => target.state === 'ready');
    const whole = gaps.length === 0 && losses.every(loss => loss.result === 'survives');
    return { name, kind, verdict: !ready ? 'stopped' : whole ? 'survives' : 'gaps', targets: route.targets, losses, gaps };
  });
}

/** Judges each target of a subject once for all losses: a loss changes only what it concerns. */
function look(name: string, kind: RouteUnderTest['kind'], configured: WhatIfView, present: WhatIfView): RouteUnderTest {
  const route: RouteUnderTest = { name, kind, able: [], ready: [], readyAgents: [], targets: [], servesAgents: false };
  for (const candidate of resolveName(name, configured)?.candidates ?? []) {
    const target = `${candidate.endpoint}/${candidate.model}`;
    const ever = judgeTarget(candidate, chatRequirements, configured);
    if (!ever.fit) {
      route.targets.push({ target, state: 'never', note: ever.reason });
      continue;
    }
    const planned = plannedTarget(target, candidate, configured);
    const agent = judgeTarget(candidate, agentRequirements, configured).fit;
    const now = judgeTarget(candidate, chatRequirements, present);
    route.able.push(planned);
    route.servesAgents ||= agent;
    if (!now.fit) {
      route.targets.push({ target, state: 'not-now', note: now.reason });
      continue;
    }
    route.ready.push(planned);
    if (agent) route.readyAgents.push(planned);
    route.targets.push({ target, state: 'ready', note: agent ? undefined : agentShortcoming(configured.facts(candidate.endpoint, candidate.model)).says });
  }
  return route;
}

function judgeLoss({ kind, name, configured, present }: LookedAtLoss, { able, ready, readyAgents, servesAgents }: RouteUnderTest, view: ReportView): JudgedLoss {
  const inPrinciple = firstLeft(able, configured, chatRequirements);
  if (inPrinciple === undefined) return { outcome: { kind, name, result: 'stops' } };
  const by = firstLeft(ready, present, chatRequirements);
  if (by === undefined) {
    const now = judgeTarget(inPrinciple, chatRequirements, present);
    return { outcome: { kind, name, result: 'not-now', takenOverBy: inPrinciple.target, note: now.fit ? undefined : `${inPrinciple.target}: ${now.reason}.` } };
  }
  const survives: JudgedLoss = { outcome: { kind, name, result: 'survives', takenOverBy: by.target } };
  const usual = ready[0] ?? able[0];
  if (usual === undefined || by.target === usual.target) return survives;
  const stopsAgents = servesAgents && firstLeft(readyAgents, present, agentRequirements) === undefined;
  const shortcoming = stopsAgents ? agentShortcoming(view.facts(by.endpoint, by.model)) : lesser(view.facts(usual.endpoint, usual.model), view.facts(by.endpoint, by.model));
  if (shortcoming === undefined) return survives;
  const note = `${by.target} ${shortcoming.says}${stopsAgents ? ': agents stop' : ''}.`;
  return { outcome: { kind, name, result: 'weaker', takenOverBy: by.target, note }, lacks: shortcoming.lacks };
}

/** The first target that a loss leaves. Nothing that could not serve before can after it, so only those that could are asked. */
function firstLeft(targets: readonly PlannedTarget[], after: WhatIfView, requirements: Requirements): PlannedTarget | undefined {
  return targets.find(target => !after.concerns(target) || judgeTarget(target, requirements, after).fit);
}

/** What a model lacks, and the rest of a sentence that says so. */
interface StatedShortcoming { lacks: Shortcoming; says: string }

/** Why a model cannot serve an agent. */
function agentShortcoming(facts: ModelFacts): StatedShortcoming {
  if (facts.tools === false) return { lacks: 'tools', says: 'cannot call tools' };
  return { lacks: 'contextWindow', says: `has too small a context window for an agent${facts.contextWindow === undefined ? '' : ` (${tokens(facts.contextWindow)})`}` };
}

/** What the one that takes over cannot do that the usual one can; only what is known counts. `lacks` names the gravest. */
function lesser(usual: ModelFacts, other: ModelFacts): StatedShortcoming | undefined {
  const { contextWindow } = other;
  const smaller = usual.contextWindow !== undefined && contextWindow !== undefined && contextWindow < usual.contextWindow * enoughWindow;
  const all: StatedShortcoming[] = [
    ...(usual.tools !== false && other.tools === false ? [{ lacks: 'tools', says: 'cannot call tools' } as const] : []),
    ...(usual.images === true && other.images === false ? [{ lacks: 'images', says: 'cannot read images' } as const] : []),
    ...(smaller ? [{ lacks: 'contextWindow', says: `has a smaller context window (${tokens(contextWindow)} instead of ${tokens(usual.contextWindow ?? 0)})` } as const] : []),
  ];
  const [gravest] = all;
  return gravest === undefined ? undefined : { lacks: gravest.lacks, says: all.map(({ says }) => says).join(' and ') };
}

/** `128k`, `1M`, `1.05M`. */
function tokens(count: number): string {
  if (count < 1000) return String(count);
  // Windows are powers of two as often as round numbers: 131,072 is called 128k by everybody.
  const kilo = count % 1024 === 0 && count < 1_000_000 ? count / 1024 : count / 1000;
  return kilo < 1000 ? `${String(Math.round(kilo))}k` : `${String(Math.round(kilo / 10) / 100)}M`;
}
