/** The licences of the packages that are part of the bundles, as their terms demand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageOf } from './build.mjs';
import { root } from './ensureInstalled.mjs';

/** Folders of the packages with bytes in any of the bundles, by package name; a package may be there in two versions. */
function bundledPackages(built) {
  const names = new Map();
  for (const { metafile } of built) {
    for (const output of Object.values(metafile.outputs)) {
      for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
        const name = packageOf(file);
        if (name === undefined || bytesInOutput === 0) continue;
        const end = file.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}`.length;
        names.set(path.join(root, file.slice(0, end)), name);
      }
    }
  }
  return [...names].map(([folder, name]) => [name, folder]).sort(([left], [right]) => (left < right ? -1 : 1));
}

/**
 * Text of THIRD_PARTY_NOTICES.
 * @throws Error naming every bundled package that states no licence
 */
export function thirdPartyNotices(built) {
  const silent = [];
  const sections = bundledPackages(built).map(([name, folder]) => {
    const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const text = licenceText(folder);
    if (manifest.license === undefined && text === undefined) silent.push(name);
    const author = typeof manifest.author === 'string' ? manifest.author : manifest.author?.name;
    return [`${name} ${manifest.version}`, `Licence: ${manifest.license ?? 'see below'}`, '', text ?? `Copyright ${author ?? `the authors of ${name}`}`].join('\n');
  });
  if (silent.length > 0) throw new Error(`These bundled packages state no licence: ${silent.join(', ')}.`);
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  return `Waybill contains the following third-party software.${rule}${sections.join(rule)}\n`;
}

function licenceText(folder) {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.|$|-)/i.test(name));
  return file !== undefined && existsSync(path.join(folder, file)) ? readFileSync(path.join(folder, file), 'utf8').trim() : undefined;
}
