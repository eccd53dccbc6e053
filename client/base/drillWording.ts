import { t } from '@vscode/l10n';
import type { DrillCounts, DrillFault, DrillSummary, GapFix, LossKind, LossResult, RunningDrill } from '../../server/api/drill.ts';
import { count } from './format.ts';
import { formatDuration } from './figures.ts';
import type { Tone } from './outcomeWording.ts';

/** The faults as the picker offers them: what happens, in plain words. */
export const faultChoices: readonly { fault: DrillFault; label: string; detail: string }[] = [
  { fault: 'down', label: t('Down'), detail: t('Every connection is refused, at once.') },
  { fault: 'rate-limit', label: t('Rate limit (429)'), detail: t('Every request is refused with 429 and a time to wait.') },
  { fault: 'slow', label: t('Slow'), detail: t('Your requests go out as always; every answer is held back before its first byte.') },
  { fault: 'cut', label: t('Cut in mid-stream'), detail: t('Your requests go out as always; every answer breaks off after its first words.') },
  { fault: 'dead-key', label: t('Dead key'), detail: t('The key is refused as invalid (401).') },
];

/** What a drill does, as a sentence without its end: `north is down`, `north (gpt-4.1) answers 10 s late`. */
export function drillText(drill: Pick<RunningDrill, 'endpoint' | 'fault' | 'model' | 'keyName' | 'slowMs'>, tense: 'now' | 'past' = 'now'): string {
  const who = drill.model === undefined ? drill.endpoint : `${drill.endpoint} (${drill.model})`;
  const past = tense === 'past';
  if (drill.fault === 'dead-key') {
    if (drill.keyName === undefined) return past ? t('{0} rejected every key', who) : t('{0} rejects every key', who);
    return past ? t('{0} rejected the key {1}', who, drill.keyName) : t('{0} rejects the key {1}', who, drill.keyName);
  }
  const what = faultText(drill.fault, who, drill.slowMs ?? 0, past);
  return drill.keyName === undefined ? what : t({ message: '{0} for {1}', comment: 'a fault and the key that meets it', args: [what, drill.keyName] });
}

function faultText(fault: Exclude<DrillFault, 'dead-key'>, who: string, slowMs: number, past: boolean): string {
  switch (fault) {
    case 'down': return past ? t('{0} was down', who) : t('{0} is down', who);
    case 'rate-limit': return past ? t('{0} answered 429', who) : t('{0} answers 429', who);
    case 'slow': return past ? t('{0} answered {1} late', who, formatDuration(slowMs)) : t('{0} answers {1} late', who, formatDuration(slowMs));
    case 'cut': return past ? t('{0} broke off in mid-answer', who) : t('{0} breaks off in mid-answer', who);
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
  if (seconds % 3600 === 0 && seconds > 0) return t('{0} h', seconds / 3600);
  if (seconds % 60 === 0 && seconds > 0) return t('{0} min', seconds / 60);
  return seconds < 120 ? t('{0} s', seconds) : formatDuration(seconds * 1000);
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
  if (met === 0) return t('No request met it');
  const gone = met - answered - failed;
  const fate = answered === met ? (met === 1 ? t('it was answered') : t('all were answered'))
    : [t('{0} answered', answered), ...(failed > 0 ? [t('{0} failed', failed)] : []), ...(gone > 0 ? [t('{0} cancelled', gone)] : [])].join(', ');
  return t('{0} met it: {1}', count(met, 'request'), fate);
}

/** What became of a drill, in two sentences. */
export function summaryText(summary: DrillSummary): string {
  const ran = plainDuration(summary.endedAt - summary.startedAt);
  return t('{0} for {1}. {2}.', drillText(summary, 'past'), ran, countsText(summary));
}

export const lossNames: Readonly<Record<LossKind, string>> = { endpoint: t('Endpoint'), key: t('Key'), model: t('Model'), provider: t('Provider') };

export const lossResults: Readonly<Record<LossResult, { text: string; tone: Tone }>> = {
  'survives': { text: t('survives'), tone: 'ok' },
  'weaker': { text: t('serves less'), tone: 'failover' },
  'not-now': { text: t('not now'), tone: 'failover' },
  'stops': { text: t('stops'), tone: 'failed' },
};

/** The button under a gap, and the command it runs. */
export const gapFixes: Readonly<Record<GapFix, { label: string; command: string }>> = {
  'edit-route': { label: t('Edit Route…'), command: 'waybill.editRoute' },
  'add-provider': { label: t('Add Provider…'), command: 'waybill.addProvider' },
  'add-key': { label: t('Add Key…'), command: 'waybill.addKey' },
  'replace-key': { label: t('Replace Key…'), command: 'waybill.replaceKey' },
  'enable': { label: t('Enable Provider…'), command: 'waybill.enableProvider' },
  'check-health': { label: t('Check Health Now'), command: 'waybill.checkHealth' },
};
