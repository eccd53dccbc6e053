import type * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { NextStep } from '../base/errors.ts';

/** The setting with which VS Code's chat works without a sign-in. VS Code hides it from its settings editor. */
export const anonymousAccessSetting = 'chat.allowAnonymousAccess';

/** Providers of an account with which VS Code's chat is set up. */
const accountProviders = ['github', 'github-enterprise'] as const;

/**
 * Whether VS Code's chat reaches our models. `asks-for-sign-in`: it asks first, and a setting ends that;
 * `no-setting`: there is no sign-in, and this editor is not known to have such a setting.
 */
export type ChatAccessState = 'allowed' | 'signed-in' | 'asks-for-sign-in' | 'no-setting';

/** What a chat begins with. */
export interface ChatStart {
  /** Id of the model or route that is chosen, as `OfferedModel` has it. */
  modelId: string;
  /** Typed into the box and not sent. */
  prompt: string;
}

/** What the editor is asked about its chat, and what it does. */
export interface ChatHost {
  /** The value that holds for the setting, from whatever source. */
  setting(): unknown;
  /** How many accounts of this provider are signed in; rejects where the editor has no such provider. */
  accountCount(provider: string): Promise<number>;
  commandIds(): Promise<readonly string[]>;
  /** Writes the setting into the user's settings. */
  allow(): Promise<void>;
  /** Opens it, with what is chosen and typed for the user already. */
  openChat(start?: ChatStart): Promise<void>;
  /** Shows a message with buttons; undefined when it was closed. */
  inform(message: string, ...buttons: string[]): Promise<string | undefined>;
  /** Asks in a dialog; closing it is the last answer. */
  ask(message: string, detail: string, ...answers: [string, string]): Promise<string>;
}

const declinedKey = 'chatWithoutSignIn.declined';
const allow = t('Allow');
const notNow = t('Not Now');
const openChat = t('Open Chat');
const consequence = t('This sets "{0}" to true in your user settings, for all windows. Waybill sends your requests to your own providers only. VS Code may then also offer models of GitHub\'s that need no sign-in. Take the line out of the settings to undo it.', anonymousAccessSetting);

/**
 * By default VS Code's chat asks for a GitHub sign-in before it uses any model, also one of an extension. Sees whether
 * that stands between the user and our models, and changes it on consent. An offer that was declined is made again
 * by the command only.
 */
export class ChatAccess {
  readonly #host: ChatHost;
  readonly #memory: vscode.Memento;

  constructor(host: ChatHost, memory: vscode.Memento) {
    this.#host = host;
    this.#memory = memory;
  }

  async state(): Promise<ChatAccessState> {
    if (this.#host.setting() === true) return 'allowed';
    const counts = await Promise.all(accountProviders.map(provider => this.#host.accountCount(provider).catch(() => 0)));
    if (counts.some(count => count > 0)) return 'signed-in';
    // The setting itself cannot be seen while it has its default. Editors that have it also have commands for it.
    const commands = await this.#host.commandIds();
    return commands.some(id => id.startsWith('workbench.action.chat.') && id.includes('Anonymous')) ? 'asks-for-sign-in' : 'no-setting';
  }

  /** "Open Chat": opens it, after the offer where the chat would ask for a sign-in. */
  async openChat(start?: ChatStart): Promise<void> {
    if (await this.#mayOffer()) {
      const answer = await this.#host.ask(t("VS Code's chat asks for a GitHub sign-in. Use it without?"), consequence, allow, notNow);
      if (answer === allow) await this.#allow();
      else await this.#decline();
    }
    await this.#host.openChat(start);
  }

  /** Shows what was done, with the chat as the next action; where the chat would ask for a sign-in, with the offer. */
  async informWithChat(done: string): Promise<void> {
    if (!await this.#mayOffer()) {
      if (await this.#host.inform(done, openChat) === openChat) await this.#host.openChat();
      return;
    }
    const answer = await this.#host.inform(
      t('{0} VS Code\'s chat asks for a GitHub sign-in. Use it without? This sets "{1}" in your user settings.', done, anonymousAccessSetting), allow, notNow,
    );
    if (answer === notNow) await this.#decline();
    if (answer !== allow) return;
    await this.#allow();
    await this.#host.openChat();
  }

  /** "Allow Chat Without Sign-In…". @throws NextStep where this editor has no such setting */
  async allowByCommand(): Promise<void> {
    const state = await this.state();
    switch (state) {
      case 'allowed':
      case 'signed-in': {
        const why = state === 'allowed' ? t("VS Code's chat works without a sign-in already.") : t("You are signed in to GitHub: VS Code's chat uses that account, and no setting is needed.");
        if (await this.#host.inform(why, openChat) === openChat) await this.#host.openChat();
        return;
      }
      case 'no-setting':
        throw new NextStep(
          t("This editor is not known to have a chat that works without a GitHub sign-in. Sign in, or update the editor; tools that are connected to Waybill need neither."),
          { title: t('Connect a Tool…'), command: 'waybill.connectTool' },
        );
      case 'asks-for-sign-in':
        if (await this.#host.ask(t("Use VS Code's chat without a GitHub sign-in?"), consequence, allow, notNow) !== allow) {
          await this.#decline();
          return;
        }
        await this.#allow();
        if (await this.#host.inform(t("VS Code's chat works without a sign-in now."), openChat) === openChat) await this.#host.openChat();
    }
  }

  async #mayOffer(): Promise<boolean> {
    return this.#memory.get(declinedKey) !== true && await this.state() === 'asks-for-sign-in';
  }

  async #decline(): Promise<void> {
    await this.#memory.update(declinedKey, true);
  }

  async #allow(): Promise<void> {
    await this.#host.allow();
    await this.#memory.update(declinedKey, undefined);
  }
}
