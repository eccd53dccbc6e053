// `npm run metrics`: writes docs/metrics.md and the dashboard from the tables of metrics.
import { writeFileSync } from 'node:fs';
import { dashboardText } from './metricsDashboard.mjs';
import { metricsReference } from './metricsReference.mjs';

writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsReference());
writeFileSync(new URL('../docs/monitoring/dashboard.json', import.meta.url), dashboardText());
