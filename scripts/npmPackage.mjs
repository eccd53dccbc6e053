/** `npm run npm-package`: dist/waybill-VERSION.tgz, the server alone as a package for npm. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, dist } from './build.mjs';
import { onProjectNode, root } from './ensureInstalled.mjs';
import { thirdPartyNotices } from './notices.mjs';
import { kilobytes } from './terminal.mjs';

const docs = ['access.md', 'addresses.md', 'commandLine.md', 'configuration.md'];

const readme = `# Waybill

Routes AI requests over several providers, fails over, and keeps one exact ledger of spend. This package is the server and its command line; the
extension for VS Code has the same server within. It has no dependencies.

\`\`\`sh
npx waybill sandbox --config waybill.yaml   # two simulated providers, for trying things without keys
npx waybill check waybill.yaml
npx waybill serve --config waybill.yaml
\`\`\`

${docs.map((name) => `- [docs/${name}](docs/${name})`).join('\n')}
`;

/**
 * Builds and packs.
 * @param folder where the package is written
 * @returns {Promise<string>} its file
 */
export async function packForNpm(folder = dist) {
  const built = await build();
  const staged = path.join(folder, 'npm');
  rmSync(staged, { recursive: true, force: true });
  for (const part of ['bin', 'dist/lib', 'docs']) mkdirSync(path.join(staged, part), { recursive: true });
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const manifest = {
    name, version, license, description: 'Routes AI requests over several providers, fails over, and keeps one exact ledger of spend.',
    bin: { waybill: 'bin/waybill.js' }, engines: { node: '>=22.13' }, files: ['bin', 'dist', 'docs', 'THIRD_PARTY_NOTICES.txt'],
  };
  writeFileSync(path.join(staged, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  writeFileSync(path.join(staged, 'README.md'), readme);
  writeFileSync(path.join(staged, 'bin/waybill.js'), '#!/usr/bin/env node\nrequire(\'../dist/server.js\');\n');
  chmodSync(path.join(staged, 'bin/waybill.js'), 0o755);
  cpSync(path.join(root, 'LICENSE'), path.join(staged, 'LICENSE'));
  for (const page of docs) cpSync(path.join(root, 'docs', page), path.join(staged, 'docs', page));
  const files = serverFiles();
  for (const file of files) cpSync(path.join(dist, file), path.join(staged, 'dist', file));
  writeFileSync(path.join(staged, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(built.filter((one) => files.includes(one.name))));
  // One package is there afterwards, which a pattern such as waybill-*.tgz names.
  for (const file of readdirSync(folder)) if (new RegExp(`^${name}-.+\\.tgz$`).test(file)) rmSync(path.join(folder, file));
  // npm, which is a script on Windows, takes no argument that a shell could read otherwise.
  execFileSync('npm', ['pack', '--offline', '--silent', '--pack-destination', '..'], { cwd: staged, shell: process.platform === 'win32', stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(staged, { recursive: true });
  return path.join(folder, `${name}-${version}.tgz`);
}

/** The server's file, and those of dist/lib whose names stand in it or in one of these. */
function serverFiles() {
  const parts = readdirSync(path.join(dist, 'lib')).filter((name) => name.endsWith('.js'));
  const found = ['server.js'];
  for (const file of found) {
    const text = readFileSync(path.join(dist, file), 'utf8');
    for (const name of parts) {
      const named = new RegExp(`["'\`/]${name.replace('.', String.raw`\.`)}["'\`]`).test(text);
      if (named && !found.includes(`lib/${name}`)) found.push(`lib/${name}`);
    }
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await onProjectNode(async () => {
    const file = await packForNpm(process.argv[2] === undefined ? dist : path.resolve(process.argv[2]));
    if (!existsSync(file)) throw new Error(`npm wrote no ${file}.`);
    console.log(`${path.relative(root, file)}  ${kilobytes(statSync(file).size)}`);
  });
}
