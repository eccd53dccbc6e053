import { englishOf, type Said } from '../../../api/localization/said.ts';
import type { Log } from '../../../base/log.ts';
import type { AlertRule, WebhookConfig } from '../../../config/monitoring/monitoringConfig.ts';
import { WebhookSender, type AlertMessage } from '../delivery/webhookSender.ts';
import { conditionsOf, type Condition, type ConditionSources } from './conditions.ts';
import { IncidentFiles, type AlertIncident } from './incidentFiles.ts';
import { firedSentence, overSentence } from './words.ts';

/** A condition that no server has seen for so long is over. */
export const quietMs = 60_000;

export interface AlertBookOptions {
  /** The folder of incidents, shared by the servers of a data folder. */
  folder: string;
  now(): number;
  log: Pick<Log, 'info' | 'warn'>;
  /** Texts go through it before they are sent or logged. */
  redact(text: string): string;
  /** A window of the editor listens. */
  hasAudience(): boolean;
  /** Shows a notification in the editor. @param text what the message is made of; undefined where a part of it was taken out */
  notify(message: string, text: Said | undefined): void;
}

/**
 * The rules of alerts, and the incidents that they found. A condition that holds long enough is an incident; people are told of it once, and
 * once more when it is over, also over a restart and by several servers of a data folder.
 */
export class AlertBook {
  readonly #options: AlertBookOptions;
  readonly #files: IncidentFiles;
  #rules: readonly AlertRule[] = [];
  readonly #senders = new Map<string, { config: WebhookConfig; sender: WebhookSender }>();
  /** Since when a condition holds, by rule and subject, in milliseconds since the epoch. */
  readonly #holdsSince = new Map<string, number>();
  #startedAt: number | undefined;
  #hasFailed = false;

  constructor(options: AlertBookOptions) {
    this.#options = options;
    this.#files = new IncidentFiles(options.folder);
  }

  configure(rules: readonly AlertRule[], webhooks: ReadonlyMap<string, WebhookConfig>): void {
    this.#rules = rules;
    const { log, now } = this.#options;
    for (const [name, { config, sender }] of this.#senders) {
      const wanted = webhooks.get(name);
      if (wanted?.url === config.url && wanted.form === config.form && wanted.secret === config.secret) continue;
      sender.close();
      this.#senders.delete(name);
    }
    for (const [name, config] of webhooks) if (!this.#senders.has(name)) this.#senders.set(name, { config, sender: new WebhookSender(config, log, now) });
  }

  /** Looks at every rule. Called again and again, well within `quietMs`. */
  look(sources: ConditionSources): void {
    const now = this.#options.now();
    this.#startedAt ??= now;
    try {
      for (const rule of this.#rules) for (const condition of conditionsOf(rule, sources)) this.#judge(rule, condition, now);
      // A server that has just started has not seen yet what still holds.
      if (now - this.#startedAt >= quietMs) for (const incident of this.#files.takeQuiet(now, quietMs)) this.#over(incident, now);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#options.log.warn(`Alerts cannot be kept in the data folder, so none is sent: ${error instanceof Error ? error.message : String(error)}`);
      this.#hasFailed = true;
    }
  }

  close(): void {
    for (const { sender } of this.#senders.values()) sender.close();
    this.#senders.clear();
  }

  #judge(rule: AlertRule, condition: Condition, now: number): void {
    const id = `${rule.name}\n${condition.subject}`;
    if (!condition.holds) {
      this.#holdsSince.delete(id);
      return;
    }
    const since = Math.min(condition.since ?? now, this.#holdsSince.get(id) ?? now);
    this.#holdsSince.set(id, since);
    if (now - since < rule.forMs) return;
    const { incident, tell } = this.#files.claim(rule.name, condition.subject, now);
    if (!tell) return;
    const { name, when, above } = rule;
    const measured = condition.value === undefined ? {} : { value: condition.value, above };
    void this.#tell(rule, 'fired', firedSentence(rule, condition), { incident: incident.id, rule: name, when, subject: condition.subject, ...measured, startedAt: new Date(incident.startedAt).toISOString() })
      .then(() => { this.#files.told(incident); })
      .catch((error: unknown) => { this.#options.log.warn(`That an alert was told of cannot be noted: ${error instanceof Error ? error.message : String(error)}`); });
  }

  #over({ id, rule: name, subject, startedAt }: AlertIncident, now: number): void {
    const rule = this.#rules.find(one => one.name === name);
    // Of a rule that is gone there is nobody to tell.
    if (rule === undefined) return;
    const endedAt = now - quietMs;
    const minutes = Math.max(1, Math.round((endedAt - startedAt) / 60_000));
    void this.#tell(rule, 'over', overSentence(rule, subject, minutes), { incident: id, rule: name, when: rule.when, subject, startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() });
  }

  async #tell(rule: AlertRule, event: AlertMessage['event'], sentence: Said, rest: Omit<AlertMessage, 'event' | 'message'>): Promise<void> {
    const { log, notify, hasAudience, redact } = this.#options;
    const whole = englishOf(sentence);
    const message = redact(whole);
    if (rule.toLog) log[event === 'fired' ? 'warn' : 'info'](`Alert "${rule.name}": ${message}`);
    if (rule.toEditor && hasAudience()) notify(message, message === whole ? sentence : undefined);
    await Promise.all(rule.webhooks.map(async name => { await this.#senders.get(name)?.sender.send({ event, message, ...rest }); }));
  }
}
