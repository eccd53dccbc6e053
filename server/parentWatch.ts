const lookMs = 1000;

/**
 * Calls back when the process that started this one is gone: a child whose parent died is handed to another parent.
 * Without this, servers of a killed editor or shell would serve for ever.
 */
export function exitWithParent(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(parent)) return;
    clearInterval(timer);
    gone();
  }, lookMs);
  timer.unref();
}

/** On Windows the parent's id stays after its death, so the process is asked for. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
