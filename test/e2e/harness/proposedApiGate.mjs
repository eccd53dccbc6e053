/**
 * code-server lets every extension use every proposed API, a desktop VS Code only those it was built to trust.
 * An extension that was tested against the first can therefore fail on the second. Here the check is put back
 * into a copy of the extension host.
 */
import { linkSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const extensionHostFile = 'lib/vscode/out/vs/workbench/api/node/extensionHostProcess.js';

/**
 * Copies the editor by hard links (no second 700 MB) and closes the gate in the copy's extension host.
 * Throws when the check is not where it was, rather than test against an open gate.
 */
export function makeGatedCopy(editorDir, copyDir) {
  linkTree(editorDir, copyDir);
  const file = path.join(copyDir, extensionHostFile);
  const gated = closeGate(readFileSync(file, 'utf8'));
  // Remove first: the file is a hard link, and writing through it would change the original.
  rmSync(file);
  writeFileSync(file, gated);
}

/**
 * The function is found by what it does, not by its minified name: the code that throws "CANNOT use API proposal"
 * asks it first.
 */
export function closeGate(source) {
  const asked = source.match(/if\(!([\w$]+)\(([\w$]+),([\w$]+)\)\)throw new Error\(`Extension '\$\{\2\.identifier\.value\}' CANNOT use API proposal/);
  if (!asked) throw new Error('The proposed-API check was not found in the extension host: has code-server changed? See harness/proposedApiGate.mjs.');
  const name = asked[1];
  const open = new RegExp(`function ${name.replaceAll('$', '\\$')}\\(([\\w$]+),([\\w$]+)\\)\\{return ?(?:!0|true);?\\}`, 'g');
  const found = [...source.matchAll(open)];
  if (found.length !== 1) throw new Error(`Expected one open proposed-API check named ${name}, found ${found.length}: has code-server changed? See harness/proposedApiGate.mjs.`);
  const [, extension, proposal] = found[0];
  return source.replace(found[0][0], () => `function ${name}(${extension},${proposal}){return ${extension}.isBuiltin||!!${extension}.enabledApiProposals?.includes(${proposal})}`);
}

function linkTree(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkSync(source, target);
  }
}
