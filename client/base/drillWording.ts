import type { DrillCounts, DrillFault, DrillSummary, GapFix, LossKind, LossResult, RunningDrill } from '../../server/api/drill.ts';
import { count } from './format.ts';
import { formatDuration } from './figures.ts';
import type { Tone } from './outcomeWording.ts';

/** The faults as the picker offers them: what happens, in plain words. */
export const faultChoices: readonly { fault: DrillFault; label: string; detail: string }[] = [
  { fault: 'down', label: 'Down', detail: 'Every connection is refused, at once.' },
  { fault: 'rate-limit', label: 'Rate limit (429)', detail: 'Every request is refused with 429 and a time to wait.' },
  { fault: 'slow', label: 'Slow', detail: 'Your requests go out as always; every answer is held back before its first byte.' },
  { fault: 'cut', label: 'Cut in mid-stream', detail: 'Your requests go out as always; every answer breaks off after its first words.' },
  { fault: 'dead-key', label: 'Dead key', detail: 'The key is refused as invalid (401).' },
];

/** What a drill does, as a sentence without its end: `north is down`, `north (gpt-4.1) answers 10 s late`. */
export function drillText(drill: Pick<RunningDrill, 'endpoint' | 'fault' | 'model' | 'keyName' | 'slowMs'>, tense: 'now' | 'past' = 'now'): string {
  const who = drill.model === undefined ? drill.endpoint : `${drill.endpoint} (${drill.model})`;
  const past = tense === 'past';
  const key = drill.keyName === undefined ? '' : ` for ${drill.keyName}`;
  switch (drill.fault) {
    case 'down': return `${who} ${past ? 'was' : 'is'} down${key}`;
    case 'rate-limit': return `${who} ${past ? 'answered' : 'answers'} 429${key}`;
    case 'slow': return `${who} ${past ? 'answered' : 'answers'} ${formatDuration(drill.slowMs ?? 0)} late${key}`;
    case 'cut': return `${who} ${past ? 'broke' : 'breaks'} off in mid-answer${key}`;
    case 'dead-key': return `${who} ${past ? 'rejected' : 'rejects'} ${drill.keyName === undefined ? 'every key' : `the key ${drill.keyName}`}`;
  }
}

/** Time left as a clock shows it: `4:05`, `1:02:09`. */
export function countdown(until: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours === 0 ? `${String(minutes)}:${two(seconds % 60)}` : `${String(hours)}:${two(minutes)}:${two(seconds % 60)}`;
}

/** `5 min`, `90 s`, `2 h`: a length chosen by a person, said back. */
export function plainDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds % 3600 === 0 && seconds > 0) return `${String(seconds / 3600)} h`;
  if (seconds % 60 === 0 && seconds > 0) return `${String(seconds / 60)} min`;
  return seconds < 120 ? `${String(seconds)} s` : formatDuration(seconds * 1000);
}

/** Reads `90 s`, `10 min`, `1.5 h`; a bare number is minutes. Milliseconds; undefined when it is no length of time. */
export function readDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?)?$/i.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const unit = (match[2] ?? 'm').charAt(0).toLowerCase();
  return Math.round(Number(match[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[unit === 's' || unit === 'h' ? unit : 'm']);
}

/** How requests fared: `12 requests met it: 11 answered, 1 failed`. */
export function countsText({ met, answered, failed }: DrillCounts): string {
  if (met === 0) return 'No request met it';
  const gone = met - answered - failed;
  const fate = answered === met ? (met === 1 ? 'it was answered' : 'all were answered')
    : [`${String(answered)} answered`, ...(failed > 0 ? [`${String(failed)} failed`] : []), ...(gone > 0 ? [`${String(gone)} cancelled`] : [])].join(', ');
  return `${count(met, 'request')} met it: ${fate}`;
}

/** What became of a drill, in two sentences. */
export function summaryText(summary: DrillSummary): string {
  const ran = plainDuration(summary.endedAt - summary.startedAt);
  return `${drillText(summary, 'past')} for ${ran}. ${countsText(summary)}.`;
}

export const lossNames: Readonly<Record<LossKind, string>> = { endpoint: 'Endpoint', key: 'Key', model: 'Model', provider: 'Provider' };

export const lossResults: Readonly<Record<LossResult, { text: string; tone: Tone }>> = {
  'survives': { text: 'survives', tone: 'ok' },
  'weaker': { text: 'serves less', tone: 'failover' },
  'not-now': { text: 'not now', tone: 'failover' },
  'stops': { text: 'stops', tone: 'failed' },
};

/** The button under a gap, and the command it runs. */
export const gapFixes: Readonly<Record<GapFix, { label: string; command: string }>> = {
  'edit-route': { label: 'Edit Route…', command: 'waybill.editRoute' },
  'add-provider': { label: 'Add Provider…', command: 'waybill.addProvider' },
  'add-key': { label: 'Add Key…', command: 'waybill.addKey' },
  'replace-key': { label: 'Replace Key…', command: 'waybill.replaceKey' },
  'enable': { label: 'Enable Provider…', command: 'waybill.enableProvider' },
  'check-health': { label: 'Check Health Now', command: 'waybill.checkHealth' },
};
