import type { LossOutcome, RouteSurvival } from '../../api/drill.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import { judgeTarget, plannedTarget } from '../makePlan.ts';
import type { ModelFacts, Needs } from '../plan.ts';
import { resolveName } from '../resolveName.ts';
import { survivalGaps } from './gaps.ts';
import { agentNeeds, chatNeeds, LossView, ReportView, subjectsOf, type Subject, type SurvivalView } from './whatIfView.ts';
import { Losses, type LookedAtLoss } from './losses.ts';

/** From this share of the usual context window on, another one counts as large enough. */
const enoughWindow = 0.8;

/**
 * What every route, and every model that several endpoints serve, survives: the loss of any one endpoint, key, model or
 * provider account, judged with a plain chat and with an agent's request, as things are configured and as they are now.
 *
 * @param view the state at one moment
 */
export function survivalOf(view: SurvivalView): RouteSurvival[] {
  const report = new ReportView(view);
  const [configured, present] = [new LossView(report, undefined, false), new LossView(report, undefined, true)];
  const losing = new Losses(report);
  return subjectsOf(report).map(({ name, kind }) => {
    const subject = look(name, kind, configured, present);
    const losses = losing.of(subject).map(loss => outcomeOf(loss, subject, report));
    const gaps = survivalGaps(subject, losses, report);
    const ready = subject.targets.some(target => target.state === 'ready');
    const whole = gaps.length === 0 && losses.every(loss => loss.result === 'survives');
    return { name, kind, verdict: !ready ? 'stopped' : whole ? 'survives' : 'gaps', targets: subject.targets, losses, gaps };
  });
}

/** Judges each target of a subject once for all losses: a loss changes only what it concerns. */
function look(name: string, kind: Subject['kind'], configured: LossView, present: LossView): Subject {
  const subject: Subject = { name, kind, able: [], ready: [], readyAgents: [], targets: [], servesAgents: false };
  for (const candidate of resolveName(name, configured)?.candidates ?? []) {
    const target = `${candidate.endpoint}/${candidate.model}`;
    const ever = judgeTarget(candidate, chatNeeds, configured);
    if (!ever.fit) {
      subject.targets.push({ target, state: 'never', note: ever.reason });
      continue;
    }
    const planned = plannedTarget(target, candidate, configured);
    const agent = judgeTarget(candidate, agentNeeds, configured).fit;
    const now = judgeTarget(candidate, chatNeeds, present);
    subject.able.push(planned);
    subject.servesAgents ||= agent;
    if (!now.fit) {
      subject.targets.push({ target, state: 'not-now', note: now.reason });
      continue;
    }
    subject.ready.push(planned);
    if (agent) subject.readyAgents.push(planned);
    subject.targets.push({ target, state: 'ready', note: agent ? undefined : agentShortcoming(configured.facts(candidate.endpoint, candidate.model)) });
  }
  return subject;
}

function outcomeOf({ kind, name, configured, present }: LookedAtLoss, { able, ready, readyAgents, servesAgents }: Subject, view: ReportView): LossOutcome {
  const inPrinciple = firstLeft(able, configured, chatNeeds);
  if (inPrinciple === undefined) return { kind, name, result: 'stops' };
  const by = firstLeft(ready, present, chatNeeds);
  if (by === undefined) {
    const now = judgeTarget(inPrinciple, chatNeeds, present);
    return { kind, name, result: 'not-now', takenOverBy: inPrinciple.target, note: now.fit ? undefined : `${inPrinciple.target}: ${now.reason}.` };
  }
  const usual = ready[0] ?? able[0];
  if (usual === undefined || by.target === usual.target) return { kind, name, result: 'survives', takenOverBy: by.target };
  const stopsAgents = servesAgents && firstLeft(readyAgents, present, agentNeeds) === undefined;
  const shortcoming = stopsAgents ? `${agentShortcoming(view.facts(by.endpoint, by.model))}: agents stop` : lesser(view.facts(usual.endpoint, usual.model), view.facts(by.endpoint, by.model));
  return shortcoming === undefined ? { kind, name, result: 'survives', takenOverBy: by.target }
    : { kind, name, result: 'weaker', takenOverBy: by.target, note: `${by.target} ${shortcoming}.` };
}

/** The first target that a loss leaves. Nothing that could not serve before can after it, so only those that could are asked. */
function firstLeft(targets: readonly PlannedTarget[], after: LossView, needs: Needs): PlannedTarget | undefined {
  return targets.find(target => !after.concerns(target) || judgeTarget(target, needs, after).fit);
}

/** Why a model cannot serve an agent. */
function agentShortcoming(facts: ModelFacts): string {
  return facts.tools === false ? 'cannot call tools' : `has too small a context window for an agent${facts.contextWindow === undefined ? '' : ` (${tokens(facts.contextWindow)})`}`;
}

/** What the one that takes over cannot do that the usual one can; only what is known counts. */
function lesser(usual: ModelFacts, other: ModelFacts): string | undefined {
  const { contextWindow } = other;
  const smaller = usual.contextWindow !== undefined && contextWindow !== undefined && contextWindow < usual.contextWindow * enoughWindow;
  const lacks = [
    ...(usual.tools !== false && other.tools === false ? ['cannot call tools'] : []),
    ...(usual.images === true && other.images === false ? ['cannot read images'] : []),
    ...(smaller ? [`has a smaller context window (${tokens(contextWindow)} instead of ${tokens(usual.contextWindow ?? 0)})`] : []),
  ];
  return lacks.length === 0 ? undefined : lacks.join(' and ');
}

/** `128k`, `1M`, `1.05M`. */
function tokens(count: number): string {
  if (count < 1000) return String(count);
  // Windows are powers of two as often as round numbers: 131,072 is called 128k by everybody.
  const kilo = count % 1024 === 0 && count < 1_000_000 ? count / 1024 : count / 1000;
  return kilo < 1000 ? `${String(Math.round(kilo))}k` : `${String(Math.round(kilo / 10) / 100)}M`;
}
