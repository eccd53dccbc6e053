import * as vscode from 'vscode';

/** The part of the editor's Git extension that is read here; see extensions/git/src/api/git.d.ts of microsoft/vscode. */
interface GitExports {
  getAPI(version: 1): { repositories: readonly { rootUri: vscode.Uri; state: { HEAD?: { name?: string | undefined } | undefined } }[] };
}

/** The branch that the first folder of the workspace is on, as the editor's Git extension knows it by now; undefined where it does not. */
export function currentBranch(): string | undefined {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.toString();
  const git = vscode.extensions.getExtension<GitExports>('vscode.git');
  if (folder === undefined || git?.isActive !== true) return undefined;
  try {
    const { repositories } = git.exports.getAPI(1);
    const holds = (root: string): boolean => folder === root || folder.startsWith(`${root}/`);
    const own = repositories.find(({ rootUri }) => holds(rootUri.toString())) ?? repositories.find(({ rootUri }) => rootUri.toString().startsWith(`${folder}/`));
    return own?.state.HEAD?.name;
  } catch {
    // Git is turned off in the settings.
    return undefined;
  }
}
