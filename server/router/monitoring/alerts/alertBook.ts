import { englishOf, type Said } from '../../../api/localization/said.ts';
import type { AlertOfNotice } from '../../../api/messages.ts';
import type { Log } from '../../../base/log.ts';
import type { AlertRule, WebhookConfig } from '../../../config/monitoring/monitoringConfig.ts';
import type { Post } from '../../../upstream/receivers.ts';
import { WebhookSender, type AlertMessage } from '../delivery/webhookSender.ts';
import { conditionsOf, isKnownUp, isWindowed, type Condition, type ConditionSources } from './conditions.ts';
import { IncidentFiles, type AlertIncident } from './incidentFiles.ts';
import { firedSentence, overSentence } from './words.ts';

/** A condition is over that no server has seen for so long, and that this one has known to be over for so long. */
const quietMs = 60_000;

export interface AlertBookOptions {
  /** The folder of incidents, shared by the servers of a data folder. */
  folder: string;
  now(): number;
  log: Pick<Log, 'info' | 'warn'>;
  /** Sends to webhooks. */
  post: Post;
  /** Texts go through it before they are sent or logged. */
  redact(text: string): string;
  /** A window of the editor listens. */
  hasAudience(): boolean;
  /** Shows a notification in the editor. @param text what the message is made of; undefined where a part of it was taken out */
  notify(message: string, text: Said | undefined, alert: AlertOfNotice): void;
}

/** So many messages are kept for each webhook that did not take them. */
const mostGivenUp = 30;

interface Refused { incident: AlertIncident; message: AlertMessage }

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
  /** Since when it is known that an incident does not hold, by rule and subject, in milliseconds since the epoch. */
  readonly #calmSince = new Map<string, number>();
  #lastLookAt: number | undefined;
  /** When the machine last woke; what is known from before does not count as having lasted. */
  #wokeAt: number | undefined;
  #hasFailed = false;
  #isClosed = false;
  /** What a webhook did not take, by its name, of incidents that may last. */
  readonly #givenUp = new Map<string, Refused[]>();

  constructor(options: AlertBookOptions) {
    this.#options = options;
    this.#files = new IncidentFiles(options.folder);
  }

  configure(rules: readonly AlertRule[], webhooks: ReadonlyMap<string, WebhookConfig>): void {
    this.#rules = rules;
    this.#isClosed = false;
    const { log, now, post } = this.#options;
    for (const [name, { config, sender }] of this.#senders) {
      const wanted = webhooks.get(name);
      if (wanted?.url === config.url && wanted.form === config.form && wanted.secret === config.secret) continue;
      sender.close();
      this.#senders.delete(name);
    }
    for (const [name, config] of webhooks) {
      if (this.#senders.has(name)) continue;
      this.#senders.set(name, { config, sender: new WebhookSender(config, log, now, post) });
      this.#sendAgain(name);
    }
  }

  /** Looks at every rule. Called again and again, well within `quietMs`. */
  look(sources: ConditionSources): void {
    const now = this.#options.now();
    this.#noticeSleep(now);
    try {
      const conditions = new Map<string, Condition>();
      for (const rule of this.#rules) {
        for (const condition of conditionsOf(rule, sources)) {
          conditions.set(idOf(rule.name, condition.subject), condition);
          this.#judge(rule, condition, now);
        }
      }
      this.#endIncidents(conditions, sources, now);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#options.log.warn(`Alerts cannot be kept in the data folder, so none is sent: ${error instanceof Error ? error.message : String(error)}`);
      this.#hasFailed = true;
    }
  }

  /** What was not sent yet is left to another server, or to this one when it is configured again. */
  close(): void {
    this.#isClosed = true;
    for (const { sender } of this.#senders.values()) sender.close();
    this.#senders.clear();
  }

  /** A machine that slept, or whose clock was set, has seen nothing in between. */
  #noticeSleep(now: number): void {
    const passed = now - (this.#lastLookAt ?? now);
    this.#lastLookAt = now;
    if (passed >= 0 && passed <= quietMs / 2) return;
    this.#holdsSince.clear();
    this.#calmSince.clear();
    this.#wokeAt = now;
  }

  #judge(rule: AlertRule, condition: Condition, now: number): void {
    const id = idOf(rule.name, condition.subject);
    if (condition.holds !== true) {
      this.#holdsSince.delete(id);
      return;
    }
    const since = Math.min(Math.max(condition.since ?? now, this.#wokeAt ?? -Infinity), this.#holdsSince.get(id) ?? now);
    this.#holdsSince.set(id, since);
    // What is an incident already goes on, also where this server has not seen it for long.
    if (now - since < rule.forMs && !this.#files.has(rule.name, condition.subject)) return;
    const { incident, tell } = this.#files.claim(rule.name, condition.subject, now, since);
    const sentence = firedSentence(rule, condition);
    // A server without a window leaves the windows to one that has some.
    if (rule.toEditor && this.#options.hasAudience() && this.#files.claimEditor(incident)) this.#show(sentence, { event: 'fired', when: rule.when });
    if (!tell) return;
    const { name, when, above } = rule;
    const measured = condition.value === undefined ? {} : { value: condition.value, above };
    void this.#tell(rule, 'fired', sentence, incident, { incident: incident.id, rule: name, when, subject: condition.subject, ...measured, startedAt: new Date(incident.startedAt).toISOString() })
      .then(isDone => { if (isDone) this.#files.told(incident); else this.#files.release(incident); })
      .catch((error: unknown) => { this.#options.log.warn(`That an alert was told of cannot be noted: ${error instanceof Error ? error.message : String(error)}`); });
  }

  #endIncidents(conditions: ReadonlyMap<string, Condition>, sources: ConditionSources, now: number): void {
    for (const { incident, seenAt } of this.#files.all(now, quietMs)) {
      const rule = this.#rules.find(({ name }) => name === incident.rule);
      const id = idOf(incident.rule, incident.subject);
      if (rule !== undefined && !isOver(rule, conditions.get(id), now - seenAt)) {
        this.#calmSince.delete(id);
        continue;
      }
      const calmSince = this.#calmSince.get(id) ?? now;
      this.#calmSince.set(id, calmSince);
      const wasShown = this.#files.isToldInEditor(incident);
      const canShow = this.#options.hasAudience();
      // A server without a window gives those with one the time to say that it is over.
      const waitMs = wasShown && !canShow ? 2 * quietMs : quietMs;
      if (now - seenAt < waitMs || now - calmSince < waitMs || !this.#files.take(incident)) continue;
      this.#calmSince.delete(id);
      // Of a rule that is gone there is nobody to tell.
      if (rule !== undefined) this.#over(rule, incident, seenAt, sources, wasShown && canShow);
    }
  }

  #over(rule: AlertRule, incident: AlertIncident, endedAt: number, sources: ConditionSources, isShown: boolean): void {
    const { id, rule: name, subject, startedAt } = incident;
    const minutes = Math.max(1, Math.round((endedAt - startedAt) / 60_000));
    const sentence = overSentence(rule, subject, minutes, isKnownUp(subject, sources));
    if (isShown && rule.toEditor) this.#show(sentence, { event: 'over', when: rule.when });
    void this.#tell(rule, 'over', sentence, incident, { incident: id, rule: name, when: rule.when, subject, startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() });
  }

  #show(sentence: Said, alert: AlertOfNotice): void {
    const whole = englishOf(sentence);
    const message = this.#options.redact(whole);
    this.#options.notify(message, message === whole ? sentence : undefined, alert);
  }

  /** Writes to the log and to webhooks. @returns false where this server ended before a webhook had answered */
  async #tell(rule: AlertRule, event: AlertMessage['event'], sentence: Said, incident: AlertIncident, rest: Omit<AlertMessage, 'event' | 'message'>): Promise<boolean> {
    const { log, redact } = this.#options;
    const message = redact(englishOf(sentence));
    if (rule.toLog) log[event === 'fired' ? 'warn' : 'info'](`Alert "${rule.name}": ${message}`);
    const done = await Promise.all(rule.webhooks.map(name => this.#send(name, { incident, message: { event, message, ...rest } })));
    return !done.includes(false);
  }

  /** @returns false where this server ended before the webhook had answered */
  async #send(name: string, refused: Refused): Promise<boolean> {
    for (let tried: WebhookSender | undefined; ;) {
      const sender = this.#senders.get(name)?.sender;
      // A webhook that is taken out of the configuration is told nothing more.
      if (sender === undefined || sender === tried) return !this.#isClosed;
      const delivery = await sender.send(refused.message);
      if (delivery === 'given-up' && this.#senders.get(name)?.sender === sender) this.#remember(name, refused);
      if (delivery !== 'closed' && (delivery === 'taken' || this.#senders.get(name)?.sender === sender)) return true;
      tried = sender;
    }
  }

  #remember(name: string, refused: Refused): void {
    const lasting = (this.#givenUp.get(name) ?? []).filter(({ incident }) => this.#files.lasts(incident));
    if (refused.message.event === 'fired') lasting.push(refused);
    this.#givenUp.set(name, lasting.slice(-mostGivenUp));
  }

  /** Tells a webhook whose address was corrected of what lasts. */
  #sendAgain(name: string): void {
    const all = this.#givenUp.get(name) ?? [];
    this.#givenUp.delete(name);
    for (const refused of all) {
      const isWanted = this.#rules.some(rule => rule.name === refused.incident.rule && rule.webhooks.includes(name));
      if (isWanted && this.#files.lasts(refused.incident)) void this.#send(name, refused);
    }
  }
}

function idOf(rule: string, subject: string): string {
  return `${rule}\n${subject}`;
}

/** @param condition of the incident; undefined: the rule is no longer about its subject, or nothing was measured of it @param unseenMs since a server last saw it hold */
function isOver(rule: AlertRule, condition: Condition | undefined, unseenMs: number): boolean {
  if (condition?.holds !== undefined) return !condition.holds;
  // Where there are too few requests, or the ledger cannot be read, what failed before is over when nobody has seen it for the whole time of the rule.
  if (isWindowed(rule)) return unseenMs >= rule.windowMs;
  return condition === undefined;
}
