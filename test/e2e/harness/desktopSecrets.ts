import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { places } from './places.ts';

const workbenchFile = path.join(path.dirname(places.editorEntry), '..', '..', 'lib/vscode/out/vs/code/browser/workbench/workbench.js');

/**
 * Lets windows of one browser tell each other about changed secrets, as windows of a desktop VS Code do. There, all windows have one store,
 * and its changes reach the `onDidChange` of each window. In a browser each window reads the store once, when it opens. The workbench
 * that the pages load is given the part that is missing; what an extension sees of it is the editor's own.
 * @param browser before a window is opened in it
 */
export async function tellWindowsOfSecrets(browser: BrowserContext): Promise<void> {
  const body = withSecretsOfOtherWindows(readFileSync(workbenchFile, 'utf8'));
  await browser.route('**/vs/code/browser/workbench/workbench.js', route => route.fulfill({ body, contentType: 'text/javascript' }));
}

/** The two places are found by what they do. Throws where one is not there, rather than test something else. */
function withSecretsOfOtherWindows(source: string): string {
  const reread = 'this.secretsPromise=this.load(),addEventListener("storage",async event=>{if(event.key!==this.storageKey)return;'
    + 'const before=await this.secretsPromise,now=await(this.secretsPromise=this.load());'
    + 'for(const name of new Set([...Object.keys(before),...Object.keys(now)]))if(before[name]!==now[name])this.changedElsewhere?.(name)})}';
  return replaced(replaced(source, /this\.secretsPromise=this\.load\(\)\}/g, () => reread),
    /this\._secretStorageProvider=[\w$]+\.options\.secretStorageProvider,this\._embedderSequencer=new [\w$]+(?=\))/g,
    found => `${found},this._secretStorageProvider.changedElsewhere=name=>this.onDidChangeSecretEmitter.fire(name)`);
}

function replaced(source: string, place: RegExp, by: (found: string) => string): string {
  const count = [...source.matchAll(place)].length;
  if (count !== 1) throw new Error(`Expected ${String(place)} once in the workbench, found it ${String(count)} times: has code-server changed? See harness/desktopSecrets.ts.`);
  return source.replace(place, by);
}
