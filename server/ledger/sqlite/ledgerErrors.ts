/** The ledger was written by a newer Waybill. `message` is one sentence with the next action. */
export class LedgerTooNewError extends Error {
  readonly code = 'ledger-too-new';
  constructor(file: string, found: number, known: number) {
    super(`The ledger ${file} was written by a newer Waybill (format ${found}, this one knows ${known}): update Waybill in this window.`);
    this.name = 'LedgerTooNewError';
  }
}

/** The file behind an open ledger is no longer the one that its path leads to. */
export class LedgerReplacedError extends Error {
  readonly code = 'ledger-replaced';
  constructor(file: string) {
    super(`The ledger ${file} was replaced by another file.`);
    this.name = 'LedgerReplacedError';
  }
}

/** SQLite's primary result codes that are distinguished here. */
const codes = { error: 1, busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/** The primary SQLite result code of an error; undefined when it is not SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** The error is SQLite's own, of whatever kind. */
export function isSqliteError(error: unknown): boolean {
  return sqliteCode(error) !== undefined;
}

/** Another process holds a lock; the same statement may succeed in a moment. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === codes.busy || code === codes.locked;
}

/** The place where the file lies does not take it now (full, read-only, broken); what was to be written is fine. */
export function isEnvironmental(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === codes.full || code === codes.readOnly || code === codes.ioError || code === codes.cannotOpen;
}

/** The file itself is damaged, or no database at all. It does not mend by waiting. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === codes.corrupt || code === codes.notADatabase;
}

/** While a file is opened, a statement of ours that does not fit its tables shows a damaged schema: the version says that they fit. */
export function isDamageWhenOpened(error: unknown): boolean {
  return isDamage(error) || sqliteCode(error) === codes.error;
}
