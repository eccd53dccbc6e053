import type { Log } from '../base/log.ts';
import { createLog, SecretRegister } from '../base/secrets/redact.ts';

/** A log of a command: what is wrong is a line on standard error, and the rest is left out. */
export function warningsLog(): Log {
  return createLog((level, line) => {
    if (level === 'warn' || level === 'error') process.stderr.write(`${level}: ${line}\n`);
  }, new SecretRegister());
}
