import type { SandboxBehaviour } from './sandboxBehaviour.ts';
import { crawling, framesBefore, paced } from './delivery.ts';
import type { DeliveryStep, Pace } from './delivery.ts';
import type { Frame, SandboxReply, SandboxWire } from './wires/sandboxWire.ts';

/** What goes out after the headers of a 200, and headers that replace the usual ones. */
export interface DeliveryPlan { headers: Record<string, string>; steps: DeliveryStep[] }

export interface DeliverySituation {
  behaviour: SandboxBehaviour;
  wire: SandboxWire;
  reply: SandboxReply;
  stream: boolean;
  pace: Pace;
}

/** Long enough for written bytes to reach a client on the same machine before a reset destroys what is under way. */
const beforeResetMs = 15;

/** Turns a behaviour and a well-formed reply into the bytes that are really sent, with their pauses and their end. */
export function planDelivery(situation: DeliverySituation): DeliveryPlan {
  const { behaviour, wire, reply, stream, pace } = situation;
  const frames = stream ? wire.frames(reply) : plainFrames(wire, reply);
  const contentType = stream ? 'text/event-stream; charset=utf-8' : 'application/json';
  const plan = (steps: DeliveryStep[], headers: Record<string, string> = {}): DeliveryPlan => ({ headers: { 'content-type': contentType, ...headers }, steps });
  const upTo = (point: Parameters<typeof framesBefore>[1]): DeliveryStep[] => paced(frames.slice(0, framesBefore(frames, point)), pace);
  const write = (text: string): DeliveryStep => ({ type: 'write', bytes: text });
  const whole = [...paced(frames, pace), { type: 'end' } as const];

  switch (behaviour.type) {
    case 'silence': return plan([{ type: 'forever' }]);
    case 'keep-alives': {
      const opening = behaviour.lifecycle === true && stream ? upTo('prelude') : [];
      return plan([...opening, { type: 'repeat', text: stream ? wire.keepAlive : '\n', everyMs: behaviour.everyMs }]);
    }
    case 'crawl': return plan([...crawling(frames.map((frame) => frame.text).join(''), behaviour.bytes, behaviour.everyMs), { type: 'end' }]);
    case 'stall': return plan([...upTo(behaviour.after), { type: 'forever' }]);
    case 'cut': return plan([...upTo(behaviour.after), ...ending(behaviour.how)]);
    case 'error-in-stream': {
      const { body } = wire.failure({ kind: behaviour.error, model: reply.model, requestId: reply.id });
      const error = stream ? wire.errorEvent(body) : JSON.stringify(body);
      return plan([...(stream ? upTo(behaviour.after ?? 'prelude') : []), write(error), { type: 'end' }]);
    }
    case 'error-in-200': {
      const { body } = wire.failure({ kind: behaviour.error, model: reply.model, requestId: reply.id });
      return plan([write(JSON.stringify(body)), { type: 'end' }], { 'content-type': 'application/json' });
    }
    case 'malformed-line': {
      if (!stream) return plan(whole);
      const index = framesBefore(frames, behaviour.after ?? 1);
      const bad = `data: ${behaviour.line ?? '{"sandbox": "this line ends too ea'}\n\n`;
      return plan([...paced(frames.slice(0, index), pace), write(bad), ...paced(frames.slice(index), { ...pace, firstTokenMs: pace.betweenWordsMs }), { type: 'end' }]);
    }
    case 'content-type': return plan([write(behaviour.body ?? 'The sandbox was told to answer with another content type.'), { type: 'end' }], { 'content-type': behaviour.contentType });
    case 'oversize': {
      if (behaviour.what === 'header') return plan(whole, { 'x-sandbox-padding': 'x'.repeat(behaviour.bytes) });
      if (!stream) return plan([write(`{"padding":"${'x'.repeat(behaviour.bytes)}"}`), { type: 'end' }]);
      const index = framesBefore(frames, behaviour.after ?? 'prelude');
      return plan([...paced(frames.slice(0, index), pace), write(wire.oversizeFrame(reply, behaviour.bytes)), ...paced(frames.slice(index), pace), { type: 'end' }]);
    }
    case 'answer': return plan(whole, behaviour.headers ?? {});
    // What these change is decided before a 200 is planned; here they answer well.
    case 'refusal': case 'empty': case 'reject-foreign-thinking': case 'status': case 'error': case 'refuse': case 'black-hole':
    case 'no-answer': case 'html': case 'redirect':
      return plan(whole);
  }
}

/** A plain answer in two halves, so that it can be cut or stalled in the middle. */
function plainFrames(wire: SandboxWire, reply: SandboxReply): Frame[] {
  const text = JSON.stringify(wire.body(reply));
  const middle = Math.floor(text.length / 2);
  return [{ kind: 'content', text: text.slice(0, middle) }, { kind: 'finish', text: text.slice(middle) }];
}

function ending(how: 'reset' | 'close' | 'end'): DeliveryStep[] {
  switch (how) {
    case 'reset': return [{ type: 'wait', ms: beforeResetMs }, { type: 'reset' }];
    case 'close': return [{ type: 'close' }];
    case 'end': return [{ type: 'end' }];
  }
}
