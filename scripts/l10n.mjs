// `npm run l10n`: says which texts have no translation, which translations nothing uses, and which differ in what stands in braces.
// `npm run l10n -- --tidy` also sorts the bundles and removes what nothing uses.
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'jsonc-parser';
import { codeFaults, codeTexts, languages, manifestFaults } from './texts.mjs';

const code = codeTexts();
if (process.argv.includes('--tidy')) {
  for (const language of languages) {
    const file = new URL(`../l10n/bundle.l10n.${language}.json`, import.meta.url);
    // Where git joined the lines of two sides, a comma may be missing.
    const kept = Object.entries(parse(readFileSync(file, 'utf8'))).filter(([key]) => code.texts.has(key)).sort(([one], [other]) => (one < other ? -1 : 1));
    writeFileSync(file, `${JSON.stringify(Object.fromEntries(kept), undefined, 2)}\n`);
  }
}
const faults = [...codeFaults(code), ...manifestFaults()];
console.log(faults.length === 0 ? `${code.texts.size} texts of the code, all translated.` : faults.join('\n'));
process.exitCode = faults.length === 0 ? 0 : 1;
