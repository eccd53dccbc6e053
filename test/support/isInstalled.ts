import { spawnSync } from 'node:child_process';

/** A command is on this machine. @param versionFlag makes it print its version and end */
export function isInstalled(command: string, versionFlag = '--version'): boolean {
  return spawnSync(command, [versionFlag], { stdio: 'ignore' }).error === undefined;
}
