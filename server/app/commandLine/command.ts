import type { AccessSettings } from '../../api/access/tokenAccess.ts';
import type { CanaryAction } from '../../api/canary.ts';
import type { DrillFault } from '../../api/drill.ts';
import type { EndpointAction } from '../../api/endpoints/pause.ts';
import type { ExportFormat } from '../../api/reports/exportFormat.ts';
import type { SpendGrouping } from '../../api/reports/groupedSpend.ts';
import type { RequestFilter } from '../../api/reports/requestFilter.ts';
import type { ShadowAction } from '../../api/shadow.ts';
import type { OtherAddress } from '../../inbound/http/addresses/otherAddress.ts';
import type { DrainTimes } from '../drain.ts';

/** Where `serve` listens when no port is given. */
export const defaultPort = 7717;

/** The exit codes of every command, for scripts. */
export const exitCodes = {
  0: 'It was done, and nothing is wrong.',
  1: 'It was not done, or what was looked at is wrong.',
  2: 'The command line is wrong; nothing was done.',
  3: 'No running server was found.',
} as const;
export type ExitCode = keyof typeof exitCodes;

/** A server that runs. A port that is undefined is looked for in the data folder; a data folder that is undefined is the usual one. */
export interface ServerPlace { readonly port: number | undefined; readonly dataDir: string | undefined }
interface Output { readonly json: boolean }

/** Reports of the running server. */
export type ReportName = 'savings' | 'migration' | 'incidents';

/** Half-open, in milliseconds since the epoch. */
interface Range { readonly from: number; readonly to: number }

export type TokenCommand = { readonly command: 'token'; readonly dataDir: string | undefined } & Output & (
  { readonly action: 'create'; readonly name: string; readonly user: string | undefined; readonly team: string | undefined; readonly access: AccessSettings }
  | { readonly action: 'list' }
  | { readonly action: 'revoke'; readonly id: string }
  /** @property graceMs how long the old token still works */
  | { readonly action: 'rotate'; readonly id: string; readonly graceMs: number }
);

export type DrillCommand = { readonly command: 'drill' } & ServerPlace & Output & (
  { readonly action: 'start'; readonly endpoint: string; readonly fault: DrillFault; readonly durationMs: number; readonly model: string | undefined; readonly keyId: string | undefined; readonly slowMs: number | undefined }
  | { readonly action: 'status' }
  | { readonly action: 'stop'; readonly id: string | undefined }
);

/** What the command line asks for. */
export type Command =
  /** @property address absent: the loopback port alone */
  | { command: 'serve'; configFile: string; port: number; address?: OtherAddress; drain: DrainTimes; dataDir: string | undefined; json: boolean }
  | { command: 'sandbox'; rest: readonly string[] }
  | { command: 'check'; files: readonly string[]; json: boolean }
  | { command: 'status'; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'spend'; range: Range; by: SpendGrouping; filter: RequestFilter; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'export'; range: Range; filter: RequestFilter; format: ExportFormat; file: string | undefined; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'doctor'; tools: readonly string[]; port: number | undefined; dataDir: string | undefined; fix: boolean; json: boolean }
  | { command: 'canary'; action: CanaryAction; route: string | undefined; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'report'; report: ReportName; subject: string | undefined; days: number; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'shadow'; action: ShadowAction; route: string | undefined; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'endpoint'; action: EndpointAction | 'status'; endpoint: string | undefined; span: string | undefined; port: number | undefined; dataDir: string | undefined; json: boolean }
  | { command: 'dry-run'; configFile: string; against: string | undefined; days: number; dataDir: string | undefined; json: boolean }
  | TokenCommand
  | DrillCommand
  | { command: 'mcp'; port: number | undefined; dataDir: string | undefined }
  | { command: 'version'; json: boolean }
  /** @property of the command that is described; undefined: all */
  | { command: 'help'; of: string | undefined }
  | Wrong;

/** A language server, as an editor starts it. */
export interface LanguageServerCommand { command: 'language-server'; configFile: string | undefined; dataDir: string | undefined }

/** A command line that cannot be carried out. @property message what is wrong, in one sentence @property of the command it is about */
export interface Wrong { command: 'wrong'; message: string; of?: string }

/** @returns what is wrong with a command line */
export function wrong(message: string): Wrong {
  return { command: 'wrong', message };
}
