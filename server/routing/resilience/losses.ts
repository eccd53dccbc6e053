import type { LossOutcome } from '../../api/drill.ts';
import { WhatIfView, type Loss, type ReportView, type RouteUnderTest } from './whatIfView.ts';

/** One loss, and the state after it: as things are configured, and as they are now. */
export interface LookedAtLoss {
  kind: Loss['kind'];
  /** Of a key its endpoint, label and last four characters. */
  name: string;
  configured: WhatIfView;
  present: WhatIfView;
}

/** What a fallback lacks, gravest first: an agent needs tools more than images. */
export type Shortcoming = 'tools' | 'images' | 'contextWindow';

/** What follows from a loss as it is reported, and what the fallback lacks, by which the advice is chosen. */
export interface JudgedLoss { outcome: LossOutcome; lacks?: Shortcoming | undefined }

/** The losses of a report. Most concern many routes, so each is made once. */
export class Losses {
  readonly #view: ReportView;
  readonly #known = { endpoint: new Map<string, LookedAtLoss>(), keys: new Map<string, LookedAtLoss[]>(), model: new Map<string, LookedAtLoss>(), provider: new Map<string, LookedAtLoss>() };

  constructor(view: ReportView) {
    this.#view = view;
  }

  /** The losses that concern a route. A model that is requested by name cannot survive the loss of that model, so it is left out. */
  of({ able, kind }: RouteUnderTest): LookedAtLoss[] {
    const endpoints = new Set(able.map(target => target.endpoint.name));
    const models = kind === 'model' ? [] : [...new Set(able.map(target => target.model))];
    return [
      ...[...endpoints].map(endpoint => made(this.#known.endpoint, endpoint, () => this.#look({ kind: 'endpoint', endpoint }, endpoint))),
      ...[...endpoints].flatMap(endpoint => made(this.#known.keys, endpoint, () => this.#keysOf(endpoint))),
      ...models.map(model => made(this.#known.model, model, () => this.#look({ kind: 'model', model }, model))),
      ...this.#sharedAccounts(endpoints).map(account => made(this.#known.provider, account, () => this.#look({ kind: 'provider', account }, account))),
    ];
  }

  /** Accounts of several endpoints: to lose an account with one endpoint is to lose that endpoint. */
  #sharedAccounts(endpoints: Iterable<string>): string[] {
    const once = new Set<string>();
    const shared = new Set<string>();
    for (const endpoint of endpoints) {
      const account = this.#view.account(endpoint);
      if (account === undefined) continue;
      if (once.has(account)) shared.add(account);
      else once.add(account);
    }
    return [...shared];
  }

  #keysOf(endpoint: string): LookedAtLoss[] {
    return this.#view.keys(endpoint).map(key => this.#look({ kind: 'key', endpoint, keyId: key.id }, `${endpoint}: ${key.name}`));
  }

  #look(loss: Loss, name: string): LookedAtLoss {
    return { kind: loss.kind, name, configured: new WhatIfView(this.#view, loss, false), present: new WhatIfView(this.#view, loss, true) };
  }
}

function made<V>(known: Map<string, V>, name: string, make: () => V): V {
  let value = known.get(name);
  if (value === undefined) known.set(name, value = make());
  return value;
}
