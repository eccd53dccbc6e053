// `npm run commands`: writes docs/commandLine.md from the table of commands.
import { writeFileSync } from 'node:fs';
import { commandReference } from './commandReference.mjs';

writeFileSync(new URL('../docs/commandLine.md', import.meta.url), commandReference());
