import type { LossOutcome, RouteSurvival, SurvivingTarget } from '../api/drill.ts';
import { makePlan } from './makePlan.ts';
import type { ModelFacts, Needs, PlanResult } from './plan.ts';
import { resolveName } from './resolveName.ts';
import { survivalGaps } from './survivalGaps.ts';
import { accountOf, agentNeeds, chatNeeds, LossView, subjectsOf, type Loss, type Subject, type SurvivalView } from './survivalView.ts';

/** From this share of the usual context window on, another one counts as large enough. */
const enoughWindow = 0.8;

/**
 * What every route, and every model that several endpoints serve, survives: the loss of any one endpoint, key, model or
 * provider account, judged with a plain chat and with an agent's request, as things are configured and as they are now.
 *
 * @param now milliseconds since the epoch
 */
export function survivalOf(view: SurvivalView, now: number): RouteSurvival[] {
  return subjectsOf(view).map(({ name, kind }) => {
    const subject = look(name, kind, view, now);
    const losses = lossesOf(subject, view).map(loss => outcomeOf(loss, subject, view, now));
    const gaps = survivalGaps(subject, losses, view);
    const ready = subject.targets.some(target => target.state === 'ready');
    const whole = gaps.length === 0 && losses.every(loss => loss.result === 'survives');
    return { name, kind, verdict: !ready ? 'stopped' : whole ? 'survives' : 'gaps', targets: subject.targets, losses, gaps };
  });
}

function look(name: string, kind: Subject['kind'], view: SurvivalView, now: number): Subject {
  const configured = plan(name, chatNeeds, view, undefined, false, now).plan;
  const present = plan(name, chatNeeds, view, undefined, true, now).plan;
  const agent = plan(name, agentNeeds, view, undefined, false, now).plan;
  const able = new Set(configured.targets.map(target => target.target));
  const ready = new Set(present.targets.map(target => target.target));
  const agents = new Set(agent.targets.map(target => target.target));
  const targets = (resolveName(name, view)?.candidates ?? []).map(({ endpoint, model }): SurvivingTarget => {
    const target = `${endpoint}/${model}`;
    const reason = (from: PlanResult['plan']): string | undefined => from.excluded.find(one => one.target === target)?.reason;
    if (!able.has(target)) return { target, state: 'never', note: reason(configured) };
    if (!ready.has(target)) return { target, state: 'not-now', note: reason(present) };
    return { target, state: 'ready', note: agents.has(target) ? undefined : agentShortcoming(view.facts(endpoint, model)) };
  });
  return { name, kind, able: configured.targets, targets, agents };
}

/** The losses that concern a subject at all. A model asked for by name cannot survive the loss of that very model. */
function lossesOf({ able, kind }: Subject, view: SurvivalView): Loss[] {
  const endpoints = unique(able.map(target => target.endpoint));
  const accounts = endpoints.map(name => accountIn(view, name));
  // The loss of an account that is one endpoint is the loss of the endpoint.
  const shared = unique(accounts.filter((account, index) => account !== undefined && accounts.indexOf(account) !== index)).filter(account => account !== undefined);
  return [
    ...endpoints.map((endpoint): Loss => ({ kind: 'endpoint', endpoint })),
    ...endpoints.flatMap(endpoint => view.keys(endpoint).map((key): Loss => ({ kind: 'key', endpoint, keyId: key.id }))),
    ...(kind === 'model' ? [] : unique(able.map(target => target.model)).map((model): Loss => ({ kind: 'model', model }))),
    ...shared.map((account): Loss => ({ kind: 'provider', account })),
  ];
}

function outcomeOf(loss: Loss, { name, able, agents }: Subject, view: SurvivalView, now: number): LossOutcome {
  const named = { kind: loss.kind, name: lossName(loss, view) };
  const configured = plan(name, chatNeeds, view, loss, false, now).plan.targets;
  const [inPrinciple] = configured;
  if (inPrinciple === undefined) return { ...named, result: 'stops' };
  const present = plan(name, chatNeeds, view, loss, true, now).plan;
  const [by] = present.targets;
  if (by === undefined) {
    const reason = present.excluded.find(one => one.target === inPrinciple.target)?.reason;
    return { ...named, result: 'not-now', takenOverBy: inPrinciple.target, note: reason === undefined ? undefined : `${inPrinciple.target}: ${reason}.` };
  }
  const usual = plan(name, chatNeeds, view, undefined, true, now).plan.targets[0] ?? able[0];
  const survived: LossOutcome = { ...named, result: 'survives', takenOverBy: by.target };
  if (usual === undefined || by.target === usual.target) return survived;
  const agentNow = plan(name, agentNeeds, view, loss, true, now).plan.targets[0];
  if (agents.size > 0 && agentNow === undefined) {
    return { ...survived, result: 'weaker', note: `${by.target} ${agentShortcoming(view.facts(by.endpoint, by.model))}: agents stop.` };
  }
  const shortcoming = lesser(view.facts(usual.endpoint, usual.model), view.facts(by.endpoint, by.model));
  return shortcoming === undefined ? survived : { ...survived, result: 'weaker', note: `${by.target} ${shortcoming}.` };
}

function plan(name: string, needs: Needs, view: SurvivalView, loss: Loss | undefined, present: boolean, now: number): PlanResult {
  return makePlan(name, needs, new LossView(view, loss, present), now);
}

function lossName(loss: Loss, view: SurvivalView): string {
  switch (loss.kind) {
    case 'endpoint': return loss.endpoint;
    case 'key': return `${loss.endpoint}: ${view.keys(loss.endpoint).find(key => key.id === loss.keyId)?.name ?? loss.keyId}`;
    case 'model': return loss.model;
    case 'provider': return loss.account;
  }
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

function accountIn(view: SurvivalView, endpoint: string): string | undefined {
  const config = view.config.endpoints.get(endpoint);
  return config === undefined ? undefined : accountOf(config);
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
