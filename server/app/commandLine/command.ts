import type { AccessSettings } from '../../api/access/tokenAccess.ts';
import type { CanaryAction } from '../../api/canary.ts';
import type { DrillFault } from '../../api/drill.ts';
import type { EndpointAction } from '../../api/endpoints/pause.ts';
import type { TimeRange } from '../../api/receipt.ts';
import type { ExportFormat } from '../../api/reports/exportFormat.ts';
import type { SpendGrouping } from '../../api/reports/groupedSpend.ts';
import type { RequestFilter } from '../../api/reports/requestFilter.ts';
import type { ShadowAction } from '../../api/shadow.ts';
import type { ListenConfig } from '../../config/listen/listenConfig.ts';
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
/** A running server that is asked, and how its answer is printed. */
export type Asked = ServerPlace & Output;

/** How the server is to end. @property delayMs undefined: the usual one of where it listens */
export type AskedDrain = Omit<DrainTimes, 'delayMs'> & { delayMs: number | undefined };

/** Reports of the running server. */
export type ReportName = 'savings' | 'migration' | 'incidents';

/** Requests that are looked at. @property range half-open, in milliseconds since the epoch */
export interface AskedRequests extends Asked { readonly range: TimeRange; readonly filter: RequestFilter }

export type TokenCommand = { readonly command: 'token'; readonly dataDir: string | undefined } & Output & (
  { readonly action: 'create'; readonly name: string; readonly user: string | undefined; readonly team: string | undefined; readonly access: AccessSettings }
  | { readonly action: 'list' }
  | { readonly action: 'revoke'; readonly id: string }
  /** @property graceMs how long the old token still works */
  | { readonly action: 'rotate'; readonly id: string; readonly graceMs: number }
);

export type DrillCommand = { readonly command: 'drill' } & Asked & (
  { readonly action: 'start'; readonly endpoint: string; readonly fault: DrillFault; readonly durationMs: number; readonly model: string | undefined; readonly keyId: string | undefined; readonly slowMs: number | undefined }
  | { readonly action: 'status' }
  | { readonly action: 'stop'; readonly id: string | undefined }
);

/** What the command line asks for. */
export type Command =
  /** @property listen what is absent there is left to the configuration, as is the delay of the end to where it listens */
  | { command: 'serve'; configFile: string; listen: ListenConfig; drain: AskedDrain; dataDir: string | undefined; json: boolean }
  | { command: 'sandbox'; rest: readonly string[] }
  | { command: 'check'; files: readonly string[]; json: boolean }
  | { command: 'status' } & Asked
  | { command: 'spend'; by: SpendGrouping } & AskedRequests
  | { command: 'titles'; action: 'count' | 'forget'; dataDir: string | undefined; json: boolean }
  | { command: 'export'; format: ExportFormat; file: string | undefined } & AskedRequests
  | { command: 'doctor'; tools: readonly string[]; fix: boolean } & Asked
  | { command: 'canary'; action: CanaryAction; route: string | undefined } & Asked
  | { command: 'report'; report: ReportName; subject: string | undefined; days: number } & Asked
  | { command: 'shadow'; action: ShadowAction; route: string | undefined } & Asked
  | { command: 'endpoint'; action: EndpointAction | 'status'; endpoint: string | undefined; span: string | undefined } & Asked
  | { command: 'dry-run'; configFile: string; against: string | undefined; days: number; dataDir: string | undefined; json: boolean }
  | TokenCommand
  | DrillCommand
  | { command: 'mcp' } & ServerPlace
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
