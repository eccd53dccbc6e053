import { requestType, type NoParams } from '../messageTypes.ts';

/** Client -> server, request: how many requests of the ledger of this machine have a title. */
export interface KeptTitles { count: number }
export const keptTitlesRequest = requestType<NoParams, KeptTitles>('waybill/keptTitles');

/** What became of the titles. */
export interface ForgottenTitles {
  /** Requests that had one. */
  count: number;
  /** Damaged ledgers that were moved aside earlier: files in the data folder, which still hold what they held. */
  damagedCopies: string[];
}
/** Client -> server, request: removes every title from the ledger of this machine, and its bytes from the file. */
export const forgetTitlesRequest = requestType<NoParams, ForgottenTitles | { refused: string }>('waybill/forgetTitles');
