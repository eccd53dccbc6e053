import * as vscode from 'vscode';
import { toastButtons } from './toastButtons.ts';

/** Tells the user something in full. @returns the button that was pressed */
export async function inform(message: string, ...buttons: string[]): Promise<string | undefined> {
  return vscode.window.showInformationMessage(message, ...toastButtons(message, buttons));
}

/** Warns the user in full. @returns the button that was pressed */
export async function warn(message: string, ...buttons: string[]): Promise<string | undefined> {
  return vscode.window.showWarningMessage(message, ...toastButtons(message, buttons));
}
