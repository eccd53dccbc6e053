import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where data lives when no folder is named: the platform's place for user data. A variable without an absolute path counts as absent, as the XDG specification says. */
export function defaultDataDir(): string {
  if (process.platform === 'win32') return join(absolute(process.env.LOCALAPPDATA) ?? join(homedir(), 'AppData', 'Local'), 'Waybill');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Waybill');
  return join(absolute(process.env.XDG_DATA_HOME) ?? join(homedir(), '.local', 'share'), 'waybill');
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
