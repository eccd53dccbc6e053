/**
 * `npm run editor`: the demonstration in a real editor, in a profile of its own. VS Code when `code` is on PATH, else VS Code in the
 * browser as the end-to-end tests use it. Two sandbox providers are configured as endpoints; they need no keys.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Stage, untilInterrupted } from './demonstration.mjs';
import { onProjectNode, root } from './ensureInstalled.mjs';
import { packageExtension, vsixFile } from './package.mjs';
import { bold } from './terminal.mjs';

/** What VS Code's own chat needs without a sign-in. */
const chatSettings = { 'chat.allowAnonymousAccess': true, 'chat.byokUtilityModelDefault': 'mainAgent', 'telemetry.telemetryLevel': 'off', 'workbench.startupEditor': 'none' };

async function editorSettings(configFile) {
  const { parse } = await import('yaml');
  const { endpoints, routes } = parse(await readFile(configFile, 'utf8'));
  return { ...chatSettings, 'waybill.endpoints': endpoints, 'waybill.routes': routes };
}

const shell = process.platform === 'win32';

function codeOnPath() {
  return spawnSync('code', ['--version'], { stdio: 'ignore', shell }).status === 0;
}

/** Desktop VS Code with its own user data and extensions; resolves when its window is closed. */
async function openDesktop(stage, settings) {
  const [userData, extensions, workspace] = ['user-data', 'extensions', 'workspace'].map((name) => path.join(stage.folder, name));
  mkdirSync(path.join(userData, 'User'), { recursive: true });
  mkdirSync(workspace);
  writeFileSync(path.join(userData, 'User', 'settings.json'), JSON.stringify(settings, undefined, 2));
  const folders = ['--user-data-dir', userData, '--extensions-dir', extensions];
  if (spawnSync('code', [...folders, '--install-extension', vsixFile], { stdio: 'inherit', shell }).status !== 0) throw new Error('VS Code refused the extension; see above.');
  console.log(`${bold('Editor')}  VS Code with a profile of its own. Close its window, or press Ctrl-C, to end.`);
  const child = spawn('code', [...folders, '--disable-workspace-trust', '--wait', '--new-window', workspace], { stdio: 'inherit', shell });
  await Promise.race([new Promise((resolve) => child.once('exit', resolve)), untilInterrupted()]);
  child.kill();
}

/** VS Code in the browser; resolves on Ctrl-C. */
async function openInBrowser(settings) {
  const e2e = path.join(root, 'test', 'e2e');
  const { install } = await import(path.join(e2e, 'install.mjs'));
  console.log('There is no `code` on PATH; installing VS Code for the browser where it is missing (600 MB, once) …');
  console.log(install());
  const { EditorServer } = await import(path.join(e2e, 'harness', 'editorServer.ts'));
  const editor = await EditorServer.start({ vsix: vsixFile, settings });
  try {
    console.log(`${bold('Editor')}  ${editor.url}/?folder=${encodeURIComponent(editor.makeWorkspace('demo'))}\nPress Ctrl-C to end.`);
    await untilInterrupted();
  } finally {
    await editor.stop();
  }
}

async function main() {
  if (!existsSync(vsixFile) || process.argv.includes('--fresh')) await packageExtension();
  const stage = new Stage();
  try {
    const { providers, configFile } = await stage.startSandbox();
    for (const { name, url, controlUrl } of providers) {
      console.log(`${bold(name)}  ${url}\n  to make it fail:  curl -X POST ${controlUrl}/die\n  to mend it:       curl -X POST ${controlUrl}/revive`);
    }
    const settings = await editorSettings(configFile);
    if (codeOnPath()) await openDesktop(stage, settings);
    else await openInBrowser(settings);
  } finally {
    await stage.end();
  }
}

await onProjectNode(main);
