import { EventEmitter } from 'node:events';
import path from 'node:path';

/** What an extension did at the editor while it was activated. */
export interface Seen { commands: number; views: number }

type Callable = (...args: unknown[]) => unknown;

/**
 * A module `vscode` for code whose own cost is measured: what has no value here is an object of which every member is there, can be
 * called, constructed and extended, and does nothing. Settings are those that nobody has written, but for the local endpoint, which is off.
 */
export function anyEditor(): { module: unknown; context(extensionFolder: string, dataFolder: string): unknown; seen: Seen } {
  const seen: Seen = { commands: 0, views: 0 };
  const written: Readonly<Record<string, unknown>> = { 'localEndpoint.enabled': false };
  class Emitter {
    readonly #events = new EventEmitter();
    readonly event = (listener: Callable): { dispose(): void } => {
      this.#events.on('event', listener);
      return { dispose: () => { this.#events.off('event', listener); } };
    };
    fire(value: unknown): void { this.#events.emit('event', value); }
    dispose(): void { this.#events.removeAllListeners(); }
  }
  const uri = (fsPath: string): object => ({ fsPath, scheme: 'file', path: fsPath, toString: () => `file://${fsPath}` });
  const module = anything({
    EventEmitter: Emitter,
    Uri: anything({ file: uri, joinPath: (base: { fsPath: string }, ...parts: string[]) => uri(path.join(base.fsPath, ...parts)) }),
    env: anything({ language: 'en', remoteName: undefined }),
    l10n: anything({ bundle: undefined }),
    workspace: anything({
      workspaceFolders: undefined, textDocuments: [],
      getConfiguration: () => anything({ get: () => undefined, inspect: (name: string) => ({ key: name, globalValue: written[name] }) }),
    }),
    window: anything({
      visibleTextEditors: [], tabGroups: { all: [] }, state: { focused: true, active: true },
      createTreeView: () => { seen.views += 1; return anything({ visible: false, selection: [] }); },
      registerWebviewViewProvider: () => { seen.views += 1; return anything({}); },
    }),
    extensions: anything({ getExtension: () => undefined, all: [] }),
    commands: anything({ registerCommand: () => { seen.commands += 1; return anything({}); }, executeCommand: () => Promise.resolve(undefined) }),
  });
  const memento = { keys: () => [], get: (_key: string, otherwise?: unknown) => otherwise, update: () => Promise.resolve(), setKeysForSync: () => undefined };
  return {
    module, seen,
    context: (extensionFolder, dataFolder) => anything({
      subscriptions: [], extensionUri: uri(extensionFolder), globalStorageUri: uri(dataFolder), globalState: memento, workspaceState: memento, storageUri: undefined,
      secrets: { get: () => Promise.resolve(undefined), store: () => Promise.resolve(), delete: () => Promise.resolve(), keys: () => Promise.resolve([]), onDidChange: new Emitter().event },
      extension: anything({ id: 'waybill.waybill', extensionKind: 1, packageJSON: {} }),
    }),
  };
}

/** An object that has the given members, and every other one as an object that can be used in any way. */
function anything(given: Readonly<Record<string, unknown>>): unknown {
  const members = new Map<PropertyKey, unknown>(Object.entries(given));
  const target = function () { /* Nothing to do. */ };
  const proxy: unknown = new Proxy(target, {
    get(_target, name) {
      if (members.has(name)) return members.get(name);
      if (name === 'prototype') return target.prototype as unknown;
      // What is awaited is no promise.
      if (name === 'then') return undefined;
      if (name === Symbol.toPrimitive) return () => '';
      if (name === Symbol.iterator) return [][Symbol.iterator];
      const made = anything({});
      members.set(name, made);
      return made;
    },
    set: (_target, name, value) => { members.set(name, value); return true; },
    apply: () => anything({}),
    construct: (_target, args, newTarget) => (newTarget === proxy ? anything({}) as object : Reflect.construct(target, args, newTarget) as object),
  });
  return proxy;
}
