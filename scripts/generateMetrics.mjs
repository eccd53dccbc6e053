// `npm run metrics`: writes docs/metrics.md from the tables of metrics.
import { writeFileSync } from 'node:fs';
import { metricsReference } from './metricsReference.mjs';

writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsReference());
