// `npm run providers`: writes docs/providers.md from the catalog and the tables of charges.
import { writeFileSync } from 'node:fs';
import { providerReference } from './providerReference.mjs';

writeFileSync(new URL('../docs/providers.md', import.meta.url), providerReference());
