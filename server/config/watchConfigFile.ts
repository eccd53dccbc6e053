import { lstatSync, unwatchFile, watch, watchFile } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface ConfigWatch {
  /** Ends the watch; doing so twice is safe. */
  dispose(): void;
}

/** Editors write a file in several steps; this is how long it must be quiet. */
const quietMs = 100;
/** Where the system cannot watch (too many watches, some network drives), the file is looked at this often. */
const pollMs = 2000;

/**
 * Calls back after the file changed, came or went. The folder is watched and not the file, because most editors write
 * a new file and rename it over the old one. Does not keep the process alive.
 */
export function watchConfigFile(path: string, onChange: () => void): ConfigWatch {
  const name = basename(path);
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  let polling = false;
  let disposed = false;

  const changed = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, quietMs);
    timer.unref();
  };
  const poll = (): void => {
    if (disposed || polling) return;
    polling = true;
    watchFile(path, { interval: pollMs, persistent: false }, changed);
  };
  try {
    watcher = watch(dirname(path), { persistent: false }, (_event, changedName) => {
      // A link's target changes under another name, so then everything in the folder counts.
      if (changedName === null || changedName === name || isLink(path)) changed();
    });
    watcher.on('error', () => {
      watcher?.close();
      poll();
      changed();
    });
  } catch {
    poll();
  }
  return {
    dispose() {
      disposed = true;
      clearTimeout(timer);
      watcher?.close();
      if (polling) unwatchFile(path, changed);
      polling = false;
    },
  };
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    // The folder may not be read any more; this runs in a listener, where an error would be lost.
    return false;
  }
}
