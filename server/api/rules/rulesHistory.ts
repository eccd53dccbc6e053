import { requestType, type NoParams } from '../messageTypes.ts';
import type { CapSettings, RouteSettings, ToolModelSettings } from '../settings.ts';

/** A version of the rules that was in use. */
export interface RuleVersion {
  /** Made of its time and a digest of its text. */
  id: string;
  /** When it came into use, in milliseconds since the epoch. */
  at: number;
  /** Absent: the editor's settings. */
  file?: string | undefined;
  routes: number;
  /** It is the latest of its place. */
  latest: boolean;
}

/** The rules of the settings. */
export interface SettingsRules {
  routes: Record<string, RouteSettings>;
  aliases: Record<string, string>;
  tools: Record<string, ToolModelSettings>;
  /** Absent in versions that do not know of them: a return leaves those of the settings as they are. */
  equivalents?: Record<string, string[]> | undefined;
  /** Absent: as above. */
  caps?: CapSettings | undefined;
}

/** Client -> server, request: the versions of the rules that are kept, newest first. */
export const ruleVersionsRequest = requestType<NoParams, RuleVersion[]>('waybill/ruleVersions');

export interface RuleVersionParams {
  id: string;
  /** The whole file as it is now, where the version is one of a file. */
  fileNow?: string | undefined;
}
/** A version that cannot be read is an answer with one sentence. */
export type RuleVersionResult =
  | { kind: 'settings'; text: string; now: string; settings: SettingsRules }
  /** `now`: the rules of the file now. `file`: the whole file with the rules of the version. */
  | { kind: 'file'; text: string; now: string; file: string }
  | { refused: string };
/** Client -> server, request: a version, what is there now, and what a return to it writes. */
export const ruleVersionRequest = requestType<RuleVersionParams, RuleVersionResult>('waybill/ruleVersion');

/** The rules of settings as text: the same rules have the same text. */
export function settingsRulesText({ routes, aliases, equivalents, tools, caps }: SettingsRules): string {
  return `${JSON.stringify({ routes, aliases, equivalents, tools, caps }, null, 2)}\n`;
}
