import { setTimeout as sleep } from 'node:timers/promises';
import { protocolNames, type ProtocolName } from '../../server/api/conversation.ts';
import { rotated, settleMs, type Bench, type Measure, type Row } from './measure.ts';
import { cpuTimeUs } from './processStat.ts';
import { routeTo, type RunningProxy, type SubjectName } from './subjects.ts';

/** What an agent's turn costs that is translated, next to one with the same request that is passed through. */

const turnsPerSecond = 10;
const warmUpTurns = 30;
const shown: Readonly<Record<ProtocolName, string>> = { 'openai-chat': 'Chat', 'openai-responses': 'Responses', 'anthropic-messages': 'Messages', 'gemini': 'Gemini' };

interface Pair { caller: ProtocolName; target: ProtocolName }
/** `hurried`: an answer that comes as fast as it is taken. `paced`: one whose events are as far apart as a model's, so that most of the time goes to wake-ups. */
type Pace = 'hurried' | 'paced';

const allPairs = protocolNames.flatMap(caller => protocolNames.map((target): Pair => ({ caller, target })));
const translated = (pair: Pair): boolean => pair.caller !== pair.target;
/** Those that tools and providers of today use most, and what they are compared with. */
const pacedPairs = allPairs.filter(pair => !translated(pair) || pair.target === 'openai-chat'
  || (pair.caller === 'openai-chat' && pair.target === 'anthropic-messages') || (pair.caller === 'anthropic-messages' && pair.target === 'gemini'));
const pairsOf: Readonly<Record<Pace, readonly Pair[]>> = { hurried: allPairs, paced: pacedPairs };
const paces: readonly Pace[] = ['hurried', 'paced'];

const rows: Record<string, Row> = Object.fromEntries(paces.flatMap(pace => pairsOf[pace].toSorted((one, other) => Number(translated(one)) - Number(translated(other))).map((pair): [string, Row] => {
  const turn = `${pace} turn with 50 tools, ${shown[pair.caller]}`;
  return [rowOf(pace, pair), translated(pair)
    ? { title: `${turn} to ${shown[pair.target]}: CPU to passed through`, unit: 'x', target: { most: 2 } }
    : { title: `${turn} passed through: CPU`, unit: 'us' }];
})));

export const translatedTurnMeasure: Measure = {
  name: 'translated-turn',
  rows,
  async run(bench) {
    const subjects: { name: SubjectName; proxy: RunningProxy }[] = [{ name: 'waybill', proxy: bench.waybill }, ...(bench.earlier === undefined ? [] : [{ name: 'earlier' as const, proxy: bench.earlier }])];
    if (bench.round === 0) for (const { proxy } of subjects) for (const pair of allPairs) await hurried(bench, proxy, pair, warmUpTurns);
    for (const pace of paces) {
      for (const caller of protocolNames) {
        for (const { name, proxy } of rotated(subjects, bench.round)) {
          const us = new Map<Pair, number>();
          for (const pair of rotated(pairsOf[pace].filter(one => one.caller === caller), bench.round)) us.set(pair, await turnUs(bench, proxy, pair, pace));
          const passedUs = [...us].find(([pair]) => !translated(pair))?.[1] ?? 0;
          for (const [pair, spentUs] of us) bench.record(rowOf(pace, pair), name, translated(pair) ? spentUs / passedUs : spentUs);
        }
      }
    }
  },
};

function rowOf(pace: Pace, { caller, target }: Pair): string {
  return `${pace} ${caller} to ${target}`;
}

/** Processor time of one turn. */
async function turnUs(bench: Bench, proxy: RunningProxy, pair: Pair, pace: Pace): Promise<number> {
  const seconds = bench.amounts.turnSeconds / 2;
  const turns = pace === 'paced' ? turnsPerSecond * seconds : bench.amounts.megabyteRequests * 3;
  const before = cpuTimeUs(proxy.pid);
  if (pace === 'paced') await bench.load.run({ kind: 'turns', target: targetOf(proxy, pair, pace), perSecond: turnsPerSecond, seconds });
  else await hurried(bench, proxy, pair, turns);
  await sleep(settleMs);
  return (cpuTimeUs(proxy.pid) - before) / turns;
}

async function hurried(bench: Bench, proxy: RunningProxy, pair: Pair, requests: number): Promise<void> {
  await bench.load.run({ kind: 'flood', target: targetOf(proxy, pair, 'hurried'), request: 'turn', requests, concurrency: 1 });
}

function targetOf(proxy: RunningProxy, { caller, target }: Pair, pace: Pace): RunningProxy['target'] {
  return { ...proxy.target, protocol: caller, model: routeTo(target, pace === 'hurried') };
}
