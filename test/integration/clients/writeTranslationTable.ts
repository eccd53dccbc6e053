import { mkdirSync, writeFileSync } from 'node:fs';
import { playAllTranslations, surprise, translationTables } from '../support/translationTable.ts';

/** Plays all features between all protocols and writes docs/translation.md from what happened. Fails when one was not as expected. */
const cells = await playAllTranslations();
const surprises = cells.flatMap(cell => surprise(cell) ?? []);
process.stderr.write(surprises.map(line => `${line}\n`).join(''));
const folder = new URL('../../../docs/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('translation.md', folder), translationTables(cells));
process.exitCode = surprises.length === 0 ? 0 : 1;
