import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';

const length = 32;
const digits = /^[0-9a-f]{32}$/;

/** The name of the file about a subject, whose own name may hold what names of files may not. @param ending of the name, such as `.json` */
export function digestName(subject: string, ending = ''): string {
  return `${createHash('sha256').update(subject).digest('hex').slice(0, length)}${ending}`;
}

/** The files of a folder that have such a name with that ending. @throws the system's error where the folder cannot be read */
export function digestNamesIn(folder: string, ending = ''): string[] {
  return readdirSync(folder).filter(name => name.length === length + ending.length && name.endsWith(ending) && digits.test(name.slice(0, length)));
}
