import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionPool, wireRequest, type Exchange, type Target } from './connection.ts';
import type { Job, JobOf, JobResult, Reply, ResultOf } from './jobs.ts';
import { toolTurnBody } from './protocolTraffic.ts';
import { chunkGapMs, nowUs, requestBody, sentMoments, turnChunks, type RequestKind } from './traffic.ts';

/** A process of its own: does the jobs that its parent sends, one at a time. */

const bodies = new Map<string, Buffer>();

/** In a protocol that is named, the turn of {@link toolTurnBody}. */
function requestFor(target: Target, kind: RequestKind): Buffer {
  const key = `${kind} ${target.model} ${target.protocol ?? ''}`;
  const body = bodies.get(key) ?? (target.protocol === undefined ? requestBody(kind, target.model) : toolTurnBody(target.protocol, target.model));
  bodies.set(key, body);
  return wireRequest(target, body);
}

async function flood({ target, request, requests, concurrency }: JobOf<'flood'>): Promise<ResultOf<'flood'>> {
  const pool = new ConnectionPool(target);
  const bytes = requestFor(target, request);
  const latenciesUs: number[] = [];
  let started = 0;
  const work = async (): Promise<void> => {
    while (started < requests) {
      started++;
      latenciesUs.push(duration(await pool.send(bytes)));
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
  } finally {
    pool.close();
  }
  return { kind: 'flood', latenciesUs };
}

async function paced({ targets, perSecond, seconds }: JobOf<'paced'>): Promise<ResultOf<'paced'>> {
  const lanes = targets.map(target => ({ pool: new ConnectionPool(target), bytes: requestFor(target, 'small'), latenciesUs: [] as number[] }));
  const gapUs = 1e6 / perSecond / lanes.length;
  const beganUs = nowUs();
  try {
    // Connections are opened before anything counts.
    for (const lane of lanes) await lane.pool.send(lane.bytes);
    for (let tick = 0; tick < perSecond * seconds * lanes.length; tick++) {
      await sleepUntil(beganUs + (tick + 1) * gapUs);
      // Who comes first changes, so that nobody always follows the same neighbour.
      const lane = lanes[(tick + Math.floor(tick / lanes.length)) % lanes.length];
      if (lane !== undefined) lane.latenciesUs.push(duration(await lane.pool.send(lane.bytes)));
    }
  } finally {
    for (const { pool } of lanes) pool.close();
  }
  return { kind: 'paced', latenciesUs: lanes.map(lane => lane.latenciesUs) };
}

async function questions({ target, requests, concurrency }: JobOf<'questions'>): Promise<ResultOf<'questions'>> {
  const pool = new ConnectionPool(target);
  const bytes = requestFor(target, 'question');
  const firstTokensUs: number[] = [];
  let started = 0;
  const work = async (): Promise<void> => {
    while (started < requests) {
      started++;
      const startedUs = nowUs();
      let firstUs: number | undefined;
      await pool.send(bytes, (piece, atUs) => {
        if (firstUs === undefined && sentMoments(piece).length > 0) firstUs = atUs;
      });
      if (firstUs === undefined) throw new Error(`${target.name} answered without a word`);
      firstTokensUs.push(firstUs - startedUs);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
  } finally {
    pool.close();
  }
  return { kind: 'questions', firstTokensUs };
}

async function turns({ target, perSecond, seconds }: JobOf<'turns'>): Promise<ResultOf<'turns'>> {
  const pool = new ConnectionPool(target);
  const bytes = requestFor(target, 'turn');
  const result: ResultOf<'turns'> = { kind: 'turns', firstTokensUs: [], chunkDelaysUs: [] };
  const turn = async (): Promise<void> => {
    const startedUs = nowUs();
    let chunks = 0;
    let latestUs = 0;
    await pool.send(bytes, (piece, atUs) => {
      for (const sentUs of sentMoments(piece)) {
        // OpenAI Responses repeats the whole text at its end.
        if (sentUs <= latestUs) continue;
        latestUs = sentUs;
        if (++chunks === 1) result.firstTokensUs.push(atUs - startedUs);
        else result.chunkDelaysUs.push(atUs - sentUs);
      }
    });
    if (chunks !== turnChunks) throw new Error(`${target.name} delivered ${chunks} of ${turnChunks} chunks`);
  };
  const beganUs = nowUs();
  const running: Promise<void>[] = [];
  try {
    for (let index = 0; index < perSecond * seconds; index++) {
      // Turns that begin at multiples of the chunk gap would all send their chunks in the same instant.
      const spreadMs = ((index * 0.618) % 1) * chunkGapMs;
      await sleepUntil(beganUs + (index * 1e6) / perSecond + spreadMs * 1000);
      const started = turn();
      // Looked at when all have been started; until then a failure is nobody's unhandled rejection.
      started.catch(() => undefined);
      running.push(started);
    }
    await Promise.all(running);
  } finally {
    await Promise.allSettled(running);
    pool.close();
  }
  return result;
}

async function sleepUntil(atUs: number): Promise<void> {
  const leftMs = (atUs - nowUs()) / 1000;
  if (leftMs > 0) await sleep(leftMs);
}

function duration({ startedUs, endedUs }: Exchange): number {
  return endedUs - startedUs;
}

function perform(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case 'flood': return flood(job);
    case 'paced': return paced(job);
    case 'questions': return questions(job);
    case 'turns': return turns(job);
  }
}

process.on('message', (job: Job) => {
  perform(job).then(
    (result): Reply => ({ result }),
    (error: unknown): Reply => ({ error: error instanceof Error ? error.message : String(error) }),
  ).then(reply => process.send?.(reply)).catch(() => process.exit(1));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
