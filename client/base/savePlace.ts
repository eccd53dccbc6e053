import { homedir } from 'node:os';
import * as vscode from 'vscode';

/** Where a file is saved unless the user says otherwise: at home, since what lies in a workspace is soon committed. */
export function savePlace(fileName: string): vscode.Uri {
  return vscode.Uri.joinPath(vscode.Uri.file(homedir()), fileName);
}
