import * as vscode from 'vscode';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { walkthroughSteps } from './walkthroughSteps.ts';

const chatAnsweredKey = 'waybill.walkthrough.chatAnswered';
const spendSeenKey = 'waybill.walkthrough.spendSeen';
const drillSurvivedKey = 'waybill.walkthrough.drillSurvived';

/**
 * Ticks off the steps of the walkthrough when what they ask for has really happened: sets the context keys that
 * the steps' completion events wait for.
 */
export class WalkthroughProgress implements vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #memory: vscode.Memento;
  readonly #subscription: vscode.Disposable;
  readonly #set = new Map<string, boolean>();
  #readRevision: number | undefined;

  /** `memory` keeps over restarts what happened once. */
  constructor(server: WaybillServer, memory: vscode.Memento) {
    this.#server = server;
    this.#memory = memory;
    for (const key of [chatAnsweredKey, spendSeenKey, drillSurvivedKey]) if (memory.get(key) === true) this.#setKey(key, true);
    this.#subscription = server.onDidChangeStatus((status) => void this.#update(status));
    if (server.status !== undefined) void this.#update(server.status);
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  /** Spend was shown, with figures in it. */
  async spendSeen(): Promise<void> {
    if (this.#set.get(spendSeenKey) === true) return;
    this.#setKey(spendSeenKey, true);
    await this.#memory.update(spendSeenKey, true);
  }

  async #update(status: StatusSnapshot): Promise<void> {
    const steps = walkthroughSteps(status);
    this.#setKey('waybill.walkthrough.providerAdded', steps.providerAdded);
    this.#setKey('waybill.walkthrough.providerTested', steps.providerTested);
    this.#setKey('waybill.walkthrough.fallbackReady', steps.fallbackReady);
    this.#setKey('waybill.walkthrough.budgetSet', steps.budgetSet);
    if (steps.drillSurvived && this.#set.get(drillSurvivedKey) !== true) {
      this.#setKey(drillSurvivedKey, true);
      await this.#memory.update(drillSurvivedKey, true);
    }
    if (this.#set.get(chatAnsweredKey) === true || status.ledgerRevision === this.#readRevision) return;
    this.#readRevision = status.ledgerRevision;
    // A failed read is no loss: the next finished request asks again.
    const latest = await this.#server.requests({ limit: 10 }).catch(() => []);
    if (latest.some((request) => request.caller.tool === 'vscode-chat' && request.outcome === 'ok')) {
      this.#setKey(chatAnsweredKey, true);
      await this.#memory.update(chatAnsweredKey, true);
    }
  }

  #setKey(key: string, value: boolean): void {
    if (this.#set.get(key) === value) return;
    this.#set.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  }
}
