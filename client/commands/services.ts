import type * as vscode from 'vscode';
import type { ChatAccess } from '../chat/chatAccess.ts';
import type { Configuration } from '../settings/configuration.ts';
import type { KeyStore } from '../keys/keyStore.ts';
import type { WaybillServer } from '../server/waybillServer.ts';

/** What the commands work with. */
export interface CommandServices {
  server: WaybillServer & { restart(): Promise<void> };
  configuration: Configuration;
  keys: KeyStore;
  chatAccess: ChatAccess;
  log: vscode.LogOutputChannel;
}
