import { requestType } from '../messageTypes.ts';
import type { IncidentParams, IncidentResult } from './incidents.ts';
import type { CacheReportParams, CacheReportResult } from './cacheReport.ts';
import type { MigrationParams, MigrationResult } from './migration.ts';
import type { SavingsParams, SavingsResult } from './savings.ts';

/** Client -> server, request: what requests cost beside what they would have cost at a baseline. Cancelled by the request's token. */
export const savingsRequest = requestType<SavingsParams, SavingsResult>('waybill/savings');

/** Client -> server, request: what was used, what it would cost elsewhere, and how to move there. Cancelled by the request's token. */
export const migrationRequest = requestType<MigrationParams, MigrationResult>('waybill/migration');

/** Client -> server, request: when endpoints failed, who answered instead, and what that cost. Cancelled by the request's token. */
export const incidentsRequest = requestType<IncidentParams, IncidentResult>('waybill/incidents');

/** Client -> server, request: what prompt caches held, by where requests stand in their conversations. Cancelled by the request's token. */
export const cacheReportRequest = requestType<CacheReportParams, CacheReportResult>('waybill/cacheReport');
