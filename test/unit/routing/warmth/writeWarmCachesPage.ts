import { writeFileSync } from 'node:fs';
import { warmCachesPage } from './warmCachesPage.ts';

writeFileSync(new URL('../../../../docs/warm-caches.md', import.meta.url), warmCachesPage());
