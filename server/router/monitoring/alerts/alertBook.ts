import { englishOf, type Said } from '../../../api/localization/said.ts';
import type { AlertOfNotice } from '../../../api/messages.ts';
import type { Log } from '../../../base/log.ts';
import type { AlertRule, WebhookConfig } from '../../../config/monitoring/monitoringConfig.ts';
import type { Post } from '../../../upstream/receivers.ts';
import type { AlertMessage } from '../delivery/webhookSender.ts';
import { AlertWebhooks } from './alertWebhooks.ts';
import { conditionsOf, isKnownUp, isWindowed, type Condition, type ConditionSources } from './conditions.ts';
import { IncidentFiles, type AlertIncident } from './incidentFiles.ts';
import type { SharedIncidents } from './sharedIncidents.ts';
import { SharedTelling, type Notice } from './sharedTelling.ts';
import { firedSentence, overSentence } from './words.ts';

/** A condition is over that no server has seen for so long, and that this one has known to be over for so long. */
const quietMs = 60_000;

export interface AlertBookOptions {
  /** The folder of incidents, shared by the servers of a data folder. */
  folder: string;
  /** Incidents of all replicas; absent: there are no others. */
  shared?: Pick<SharedIncidents, 'isConfigured' | 'exchange'> | undefined;
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

/**
 * The rules of alerts, and the incidents that they found. A condition that holds long enough is an incident; people are told of it once, and
 * once more when it is over, also over a restart and by several servers of a data folder.
 */
export class AlertBook {
  readonly #options: AlertBookOptions;
  readonly #files: IncidentFiles;
  #rules: readonly AlertRule[] = [];
  readonly #webhooks: AlertWebhooks;
  readonly #telling: SharedTelling | undefined;
  /** Since when a condition holds, by rule and subject, in milliseconds since the epoch. */
  readonly #holdsSince = new Map<string, number>();
  /** Since when it is known that an incident does not hold, by rule and subject, in milliseconds since the epoch. */
  readonly #calmSince = new Map<string, number>();
  #lastLookAt: number | undefined;
  /** When the machine last woke; what is known from before does not count as having lasted. */
  #wokeAt: number | undefined;
  #hasFailed = false;
  #isShareBroken = false;
  /** What the last look found, by rule and subject. */
  #seen: { conditions: ReadonlyMap<string, Condition>; sources: ConditionSources } | undefined;

  constructor(options: AlertBookOptions) {
    this.#options = options;
    const files = this.#files = new IncidentFiles(options.folder);
    const { now, log, post, shared } = options;
    this.#webhooks = new AlertWebhooks({ now, log, post, lasts: incident => files.lasts(incident), isWanted: (rule, webhook) => this.#rules.some(({ name, webhooks }) => name === rule && webhooks.includes(webhook)) });
    this.#telling = shared === undefined ? undefined : new SharedTelling({
      shared, files, now, quietMs, ruleOf: name => this.#rules.find(rule => rule.name === name && rule.webhooks.length > 0),
      endOf: (incident, seenAt) => this.#endElsewhere(incident, seenAt), failed: error => { this.#shareFailed(error); },
    });
  }

  configure(rules: readonly AlertRule[], webhooks: ReadonlyMap<string, WebhookConfig>): void {
    this.#rules = rules;
    this.#webhooks.configure(webhooks);
  }

  /** Looks at every rule. Called again and again, well within `quietMs`. */
  look(sources: ConditionSources): void {
    const now = this.#options.now();
    this.#noticeSleep(now);
    this.#telling?.begin();
    try {
      const conditions = new Map<string, Condition>();
      for (const rule of this.#rules) {
        for (const condition of conditionsOf(rule, sources)) {
          conditions.set(idOf(rule.name, condition.subject), condition);
          this.#judge(rule, condition, now);
        }
      }
      this.#endIncidents(conditions, sources, now);
      this.#seen = { conditions, sources };
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#options.log.warn(`Alerts cannot be kept in the data folder, so none is sent: ${error instanceof Error ? error.message : String(error)}`);
      this.#hasFailed = true;
    }
  }

  /** Agrees with other replicas on who tells webhooks, after a look. */
  async share(): Promise<void> {
    try {
      await this.#telling?.take(this.#options.shared?.isConfigured === true);
    } catch (error) {
      this.#shareFailed(error);
    }
  }

  /** What was not sent yet is left to another server, or to this one when it is configured again. */
  close(): void {
    this.#webhooks.close();
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
    const { name, when, above } = rule;
    const measured = condition.value === undefined ? {} : { value: condition.value, above };
    const notice: Notice = {
      phase: 'on', rule, incident, seenAt: now,
      tell: told => this.#tellWebhooks(rule, 'fired', sentence, told, { incident: told.id, rule: name, when, subject: condition.subject, ...measured, startedAt: new Date(told.startedAt).toISOString() }),
    };
    if (tell) this.#write(rule, 'fired', sentence);
    if (this.#isShared(rule)) this.#telling?.holds(notice, tell);
    else if (tell) this.#tellAlone(notice);
  }

  /** Tells webhooks of an incident that no other replica knows. */
  #tellAlone({ incident, tell }: Notice): void {
    void tell(incident)
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
    const sentence = endSentence(rule, incident, endedAt, sources);
    if (isShown && rule.toEditor) this.#show(sentence, { event: 'over', when: rule.when });
    this.#write(rule, 'over', sentence);
    const notice = this.#endNotice(rule, incident, endedAt, sources);
    if (this.#isShared(rule)) this.#telling?.ended(notice);
    else void notice.tell(incident);
  }

  #endNotice(rule: AlertRule, incident: AlertIncident, endedAt: number, sources: ConditionSources): Notice {
    const sentence = endSentence(rule, incident, endedAt, sources);
    const { name, when } = rule;
    return {
      phase: 'over', rule, incident, seenAt: endedAt,
      tell: ({ id, subject, startedAt }) => this.#tellWebhooks(rule, 'over', sentence, incident, { incident: id, rule: name, when, subject, startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() }),
    };
  }

  /** The end of an incident of other replicas, where this server knows for long enough that it is over. */
  #endElsewhere(incident: AlertIncident, seenAt: number): Notice | undefined {
    const rule = this.#rules.find(({ name }) => name === incident.rule);
    if (rule === undefined || this.#seen === undefined) return undefined;
    const id = idOf(incident.rule, incident.subject);
    const now = this.#options.now();
    if (!isOver(rule, this.#seen.conditions.get(id), now - seenAt)) {
      this.#calmSince.delete(id);
      return undefined;
    }
    const calmSince = this.#calmSince.get(id) ?? now;
    this.#calmSince.set(id, calmSince);
    if (now - calmSince < quietMs) return undefined;
    this.#calmSince.delete(id);
    return this.#endNotice(rule, incident, seenAt, this.#seen.sources);
  }

  /** Replicas agree on who tells the webhooks of a rule. */
  #isShared({ webhooks }: AlertRule): boolean {
    return this.#options.shared?.isConfigured === true && webhooks.length > 0;
  }

  #shareFailed(error: unknown): void {
    if (!this.#isShareBroken) this.#options.log.warn(`Replicas cannot agree on who tells of alerts, so each does: ${error instanceof Error ? error.message : String(error)}`);
    this.#isShareBroken = true;
  }

  #show(sentence: Said, alert: AlertOfNotice): void {
    const whole = englishOf(sentence);
    const message = this.#options.redact(whole);
    this.#options.notify(message, message === whole ? sentence : undefined, alert);
  }

  #write(rule: AlertRule, event: AlertMessage['event'], sentence: Said): void {
    const { log, redact } = this.#options;
    if (rule.toLog) log[event === 'fired' ? 'warn' : 'info'](`Alert "${rule.name}": ${redact(englishOf(sentence))}`);
  }

  /** @returns false where this server ended before a webhook had answered */
  #tellWebhooks(rule: AlertRule, event: AlertMessage['event'], sentence: Said, incident: AlertIncident, rest: Omit<AlertMessage, 'event' | 'message'>): Promise<boolean> {
    return this.#webhooks.tell(rule.webhooks, { incident, message: { event, message: this.#options.redact(englishOf(sentence)), ...rest } });
  }
}

function endSentence(rule: AlertRule, { subject, startedAt }: AlertIncident, endedAt: number, sources: ConditionSources): Said {
  return overSentence(rule, subject, Math.max(1, Math.round((endedAt - startedAt) / 60_000)), isKnownUp(subject, sources));
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
