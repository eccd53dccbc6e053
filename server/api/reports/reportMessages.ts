import { requestType } from '../messageTypes.ts';
import type { MigrationParams, MigrationResult } from './migration.ts';
import type { SavingsParams, SavingsResult } from './savings.ts';

/** Client -> server, request: what requests cost beside what they would have cost at a baseline. Cancelled by the request's token. */
export const savingsRequest = requestType<SavingsParams, SavingsResult>('waybill/savings');

/** Client -> server, request: what was used, what it would cost elsewhere, and how to move there. Cancelled by the request's token. */
export const migrationRequest = requestType<MigrationParams, MigrationResult>('waybill/migration');
