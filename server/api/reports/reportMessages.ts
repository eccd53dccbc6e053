import { requestType } from '../messageTypes.ts';
import type { SavingsParams, SavingsResult } from './savings.ts';

/** Client -> server, request: what requests cost beside what they would have cost at a baseline. Cancelled by the request's token. */
export const savingsRequest = requestType<SavingsParams, SavingsResult>('waybill/savings');
