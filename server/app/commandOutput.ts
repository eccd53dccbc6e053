import { logText } from '../api/logText.ts';
import { isObject } from '../base/json.ts';

/** Says why a command was not carried out. @returns its exit code */
export function failed(message: string): number {
  process.stderr.write(`${logText(message)}\n`);
  return 1;
}

/** The sentence of an answer that is a refusal. */
export function refusalIn(answer: unknown): string | undefined {
  const error = isObject(answer) ? answer['error'] : undefined;
  const message = isObject(error) ? error['message'] : undefined;
  return typeof message === 'string' ? message : undefined;
}
