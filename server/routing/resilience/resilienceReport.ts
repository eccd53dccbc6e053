import type { Requirements } from '../../api/routes/requirements.ts';
import type { RouteResilience } from '../../api/drill.ts';
import type { ModelFacts } from '../../models/mergedFacts.ts';
import { judgeTarget } from '../makePlan.ts';
import { resolveName } from '../resolveName.ts';
import type { ResolvedTarget } from '../routeTable.ts';
import { resilienceGaps } from './gaps.ts';
import { agentRequirements, chatRequirements, WhatIfView, ReportView, routesUnderTest, type RouteUnderTest, type ResilienceView } from './whatIfView.ts';
import { Losses, type JudgedLoss, type LookedAtLoss, type Shortcoming } from './losses.ts';

/** From this share of the usual context window on, another context window counts as large enough. */
const enoughContext = 0.8;

/**
 * What every route, and every model that several endpoints serve, survives: the loss of any one endpoint, key, model or
 * provider account, judged with a plain chat and with an agent's request, as things are configured and as they are now.
 *
 * @param view the state at one moment
 */
export function resilienceOf(view: ResilienceView): RouteResilience[] {
  const report = new ReportView(view);
  const [configured, present] = [new WhatIfView(report, undefined, false), new WhatIfView(report, undefined, true)];
  const allLosses = new Losses(report);
  return routesUnderTest(report.table).map(({ name, kind }) => {
    const route = look(name, kind, configured, present);
    const judged = allLosses.of(route).map(loss => judgeLoss(loss, route));
    const losses = judged.map(({ outcome }) => outcome);
    const gaps = resilienceGaps(route, judged, report);
    const ready = route.targets.some(target => target.state === 'ready');
    const whole = gaps.length === 0 && losses.every(loss => loss.result === 'survives');
    return { name, kind, verdict: !ready ? 'stopped' : whole ? 'survives' : 'gaps', targets: route.targets, losses, gaps };
  });
}

/** Judges each target of a route once for all losses: a loss changes only the targets that it concerns. */
function look(name: string, kind: RouteUnderTest['kind'], configured: WhatIfView, present: WhatIfView): RouteUnderTest {
  const route: RouteUnderTest = { name, kind, able: [], ready: [], readyAgents: [], targets: [], servesAgents: false };
  for (const candidate of resolveName(name, configured.table)?.candidates ?? []) {
    const target = candidate.name;
    const ever = judgeTarget(candidate, chatRequirements, configured);
    if (!ever.fit || candidate.endpoint === undefined) {
      route.targets.push({ target, state: 'never', note: ever.fit ? undefined : ever.reason });
      continue;
    }
    const agent = judgeTarget(candidate, agentRequirements, configured).fit;
    const now = judgeTarget(candidate, chatRequirements, present);
    route.able.push(candidate);
    route.servesAgents ||= agent;
    if (!now.fit) {
      route.targets.push({ target, state: 'not-now', note: now.reason });
      continue;
    }
    route.ready.push(candidate);
    if (agent) route.readyAgents.push(candidate);
    route.targets.push({ target, state: 'ready', note: agent ? undefined : agentShortcoming(candidate.facts).says });
  }
  return route;
}

function judgeLoss({ kind, name, configured, present }: LookedAtLoss, { able, ready, readyAgents, servesAgents }: RouteUnderTest): JudgedLoss {
  const inPrinciple = firstLeft(able, configured, chatRequirements);
  if (inPrinciple === undefined) return { outcome: { kind, name, result: 'stops' } };
  const by = firstLeft(ready, present, chatRequirements);
  if (by === undefined) {
    const now = judgeTarget(inPrinciple, chatRequirements, present);
    return { outcome: { kind, name, result: 'not-now', takenOverBy: inPrinciple.name, note: now.fit ? undefined : `${inPrinciple.name}: ${now.reason}.` } };
  }
  const survives: JudgedLoss = { outcome: { kind, name, result: 'survives', takenOverBy: by.name } };
  const usual = ready[0] ?? able[0];
  if (usual === undefined || by === usual) return survives;
  const stopsAgents = servesAgents && firstLeft(readyAgents, present, agentRequirements) === undefined;
  const shortcoming = stopsAgents ? agentShortcoming(by.facts) : lesser(usual.facts, by.facts);
  if (shortcoming === undefined) return survives;
  const note = `${by.name} ${shortcoming.says}${stopsAgents ? ': agents stop' : ''}.`;
  return { outcome: { kind, name, result: 'weaker', takenOverBy: by.name, note }, lacks: shortcoming.lacks };
}

/** The first target that a loss leaves. A loss makes no target able to serve, so only those that could serve before it are asked. */
function firstLeft(targets: readonly ResolvedTarget[], after: WhatIfView, requirements: Requirements): ResolvedTarget | undefined {
  return targets.find(target => !after.concerns(target.planned) || judgeTarget(target, requirements, after).fit);
}

/** What a model lacks, and the end of a sentence that says so. */
interface StatedShortcoming { lacks: Shortcoming; says: string }

/** Why a model cannot serve an agent. */
function agentShortcoming(facts: ModelFacts): StatedShortcoming {
  if (facts.tools === false) return { lacks: 'tools', says: 'cannot call tools' };
  return { lacks: 'contextWindow', says: `has too small a context window for an agent${facts.contextWindow === undefined ? '' : ` (${tokens(facts.contextWindow)})`}` };
}

/** What the target that takes over cannot do and the usual one can; only known facts count. `lacks` names the gravest. */
function lesser(usual: ModelFacts, other: ModelFacts): StatedShortcoming | undefined {
  const { contextWindow } = other;
  const smaller = usual.contextWindow !== undefined && contextWindow !== undefined && contextWindow < usual.contextWindow * enoughContext;
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
  // Context windows are powers of two as often as round numbers: the usual name of 131,072 is 128k.
  const kilo = count % 1024 === 0 && count < 1_000_000 ? count / 1024 : count / 1000;
  return kilo < 1000 ? `${String(Math.round(kilo))}k` : `${String(Math.round(kilo / 10) / 100)}M`;
}
