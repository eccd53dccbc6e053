// `npm run metrics`: writes docs/metrics.md, docs/telemetry.md and the dashboard from the tables of metrics and of attributes.
import { writeFileSync } from 'node:fs';
import { dashboardText } from './metricsDashboard.mjs';
import { metricsReference } from './metricsReference.mjs';
import { telemetryReference } from './telemetryReference.mjs';

writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsReference());
writeFileSync(new URL('../docs/monitoring/dashboard.json', import.meta.url), dashboardText());
writeFileSync(new URL('../docs/telemetry.md', import.meta.url), telemetryReference());
