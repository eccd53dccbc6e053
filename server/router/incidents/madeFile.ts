import { writeFileSync } from 'node:fs';

/** Makes a file that is not there yet, for its owner alone. @returns true for one of the servers that try @throws the system's error where it cannot be made */
export function madeFile(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
