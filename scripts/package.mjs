/** `npm run package`: dist/waybill.vsix, checked for what must and must not be in it. */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, dist, printSizes } from './build.mjs';
import { onProjectNode, root } from './ensureInstalled.mjs';
import { thirdPartyNotices } from './notices.mjs';
import { kilobytes } from './terminal.mjs';
import { readZip } from './zipEntries.mjs';

export const vsixFile = path.join(dist, 'waybill.vsix');
/** The client of Redis, which `serve` loads, is 0.1 MB of it. */
const maximumBytes = 1.75 * 1024 * 1024;

/** First bytes of compiled code: ELF, Windows PE, Mach-O (both byte orders and fat), WebAssembly. */
const nativeBeginnings = ['7f454c46', '4d5a', 'cffaedfe', 'cefaedfe', 'feedfacf', 'feedface', 'cafebabe', '0061736d'];
const forbiddenNames = [/\.map$/, /\.node$/, /\.ts$/, /(^|\/)test\//, /\.test\./, /(^|\/)node_modules\//, /(^|\/)\.(env|npmrc|git)/];

/** Builds and packages. @throws Error with every fault found, one a line */
export async function packageExtension() {
  const built = await build();
  printSizes(built);
  writeFileSync(path.join(dist, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(built));
  const { createVSIX } = await import('@vscode/vsce');
  await createVSIX({ cwd: root, packagePath: vsixFile, dependencies: false, allowMissingRepository: true, rewriteRelativeLinks: false });
  const faults = faultsOf(vsixFile);
  if (faults.length > 0) {
    rmSync(vsixFile);
    throw new Error(`The package is not fit to ship:\n  ${faults.join('\n  ')}`);
  }
  console.log(`${path.relative(root, vsixFile)}  ${kilobytes(statSync(vsixFile).size)}`);
}

/** Everything that is wrong with a VSIX, as sentences; empty when it may be shipped. */
export function faultsOf(file) {
  const faults = [];
  const { size } = statSync(file);
  if (size > maximumBytes) faults.push(`It has ${kilobytes(size)}; at most ${kilobytes(maximumBytes)} are allowed.`);
  const entries = new Map(readZip(file).map(({ name, bytes }) => [name, bytes]));
  for (const [name, bytes] of entries) {
    if (forbiddenNames.some((pattern) => pattern.test(name))) faults.push(`${name} does not belong in it.`);
    if (nativeBeginnings.some((beginning) => bytes.subarray(0, 4).toString('hex').startsWith(beginning))) faults.push(`${name} is native code.`);
    if (name.endsWith('.js') && /\/\/[#@] sourceMappingURL=/.test(bytes.subarray(-300).toString('utf8'))) faults.push(`${name} refers to a source map.`);
  }
  for (const wanted of ['package.json', 'readme.md', 'changelog.md', 'LICENSE.txt', 'dist/client.js', 'dist/server.js', 'dist/lib/server.js', 'dist/lib/configuration.js', 'dist/lib/dashboard.js', 'dist/lib/prices.js', 'dist/lib/proxies.js', 'dist/lib/googleLogin.js', 'dist/lib/languageServer.js', 'dist/lib/l10n.js', 'dist/lib/errors.js', 'dist/lib/connection.js', 'dist/lib/commands.js', 'dist/lib/tools.js', 'dist/lib/commandLine.js', 'dist/webview.js', 'dist/THIRD_PARTY_NOTICES.txt', 'package.nls.json', 'package.nls.vi.json', 'l10n/bundle.l10n.vi.json']) {
    if (!entries.has(`extension/${wanted}`)) faults.push(`${wanted} is missing.`);
  }
  const manifest = entries.get('extension/package.json');
  if (manifest !== undefined) faults.push(...manifestFaults(JSON.parse(manifest.toString('utf8')), entries));
  return faults;
}

function manifestFaults(manifest, entries) {
  const faults = [];
  for (const key of ['name', 'publisher', 'version', 'displayName', 'main', 'icon']) if (typeof manifest[key] !== 'string') faults.push(`The manifest has no ${key}.`);
  if (typeof manifest.engines?.vscode !== 'string') faults.push('The manifest does not say which VS Code it needs.');
  if (manifest.enabledApiProposals !== undefined) faults.push('The manifest asks for proposed API.');
  const files = new Set([manifest.main, manifest.icon, ...stringsNamingFiles(manifest.contributes)].filter((name) => typeof name === 'string'));
  for (const file of files) {
    const inside = path.posix.join('extension', file);
    if (!entries.has(inside) && !entries.has(`${inside}.js`)) faults.push(`The manifest names ${file}, which is not in it.`);
  }
  return faults;
}

/** Values in the contributions that are paths of pictures, pages or scripts. */
function stringsNamingFiles(value) {
  if (typeof value === 'string') return /^(\.\/)?(media|dist|l10n)\/\S+\.\w+$/.test(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsNamingFiles) : [];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await onProjectNode(packageExtension);

