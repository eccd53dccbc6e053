/** `node scripts/runOnProjectNode.mjs SCRIPT ARGS…`: runs a script, TypeScript too, under the project's own Node. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { onProjectNode, root } from './ensureInstalled.mjs';

await onProjectNode(async () => {
  const script = process.argv[2];
  if (script === undefined) throw new Error('Which script? node scripts/runOnProjectNode.mjs SCRIPT ARGS…');
  const file = path.resolve(root, script);
  // The script sees its own arguments where every script expects them.
  process.argv.splice(1, 2, file);
  await import(pathToFileURL(file).href);
});
