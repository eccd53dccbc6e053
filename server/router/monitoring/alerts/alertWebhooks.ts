import type { Log } from '../../../base/log.ts';
import type { WebhookConfig } from '../../../config/monitoring/monitoringConfig.ts';
import type { Post } from '../../../upstream/receivers.ts';
import { WebhookSender, type AlertMessage } from '../delivery/webhookSender.ts';
import type { AlertIncident } from './incidentFiles.ts';

export interface AlertWebhooksOptions {
  now(): number;
  log: Pick<Log, 'warn'>;
  post: Post;
  /** Whether an incident is not over. */
  lasts(incident: AlertIncident): boolean;
  /** Whether a rule still tells a webhook. */
  isWanted(rule: string, webhook: string): boolean;
}

/** So many messages are kept for each webhook that did not take them. */
const mostGivenUp = 30;

interface Refused { incident: AlertIncident; message: AlertMessage }

/** The webhooks of the configuration, and what they did not take of incidents that last. */
export class AlertWebhooks {
  readonly #options: AlertWebhooksOptions;
  readonly #senders = new Map<string, { config: WebhookConfig; sender: WebhookSender }>();
  #isClosed = false;
  /** What a webhook did not take, by its name, of incidents that may last. */
  readonly #givenUp = new Map<string, Refused[]>();

  constructor(options: AlertWebhooksOptions) {
    this.#options = options;
  }

  configure(webhooks: ReadonlyMap<string, WebhookConfig>): void {
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

  /** Tells webhooks. @returns false where this server ended before one had answered */
  async tell(names: readonly string[], refused: Refused): Promise<boolean> {
    const done = await Promise.all(names.map(name => this.#send(name, refused)));
    return !done.includes(false);
  }

  /** What was not sent yet is left to another server, or to this one when it is configured again. */
  close(): void {
    this.#isClosed = true;
    for (const { sender } of this.#senders.values()) sender.close();
    this.#senders.clear();
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
    const lasting = (this.#givenUp.get(name) ?? []).filter(({ incident }) => this.#options.lasts(incident));
    if (refused.message.event === 'fired') lasting.push(refused);
    this.#givenUp.set(name, lasting.slice(-mostGivenUp));
  }

  /** Tells a webhook whose address was corrected of what lasts. */
  #sendAgain(name: string): void {
    const all = this.#givenUp.get(name) ?? [];
    this.#givenUp.delete(name);
    for (const refused of all) {
      if (this.#options.isWanted(refused.incident.rule, name) && this.#options.lasts(refused.incident)) void this.#send(name, refused);
    }
  }
}
