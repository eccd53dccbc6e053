import type { Said } from './localization/said.ts';
import type { OfferedModel } from './status.ts';

/**
 * What can be done about a finding without losing anything of the user's: `refresh` tells the tool what its route can do now;
 * `rewrite` writes the connection again, as it would be made now.
 */
export type Mend = 'refresh' | 'rewrite';

/** What is said of a connected tool: one sentence, with the next action where something is wrong. */
export interface Finding {
  tool: string;
  kind: 'not-connected' | 'file' | 'changed' | 'address' | 'endpoint' | 'token' | 'route' | 'window' | 'override' | 'variable' | 'proxy' | 'version' | 'well';
  /** `note`: nothing is wrong. */
  severity: 'error' | 'warning' | 'note';
  /** In English, for logs and the command line. */
  message: string;
  /** What the message is made of, for the editor. */
  said?: Said | undefined;
  mend?: Mend | undefined;
  /** Where it was found. */
  file?: string | undefined;
}

/** What the doctor looks at, and how it asks. */
export interface Patient {
  where: { home: string; environment: Readonly<Record<string, string | undefined>> };
  /** The data folder, with the records of connections. */
  storageFolder: string;
  /** Projects in which tools are started: their own settings files may come first. */
  folders: readonly string[];
  /** The local endpoint. `url`: a Waybill has proved to answer there; else `message` says why none does. */
  endpoint: { url?: string | undefined; message?: string | undefined };
  offered: readonly OfferedModel[];
  /** What the user's settings give for single roles of tools, by tool. */
  roles?: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> | undefined;
  /** Whether the local endpoint takes a token; asked only where `url` is proved, and sent nowhere else. */
  takesToken(token: string): Promise<boolean>;
  /** What a program says of its version; undefined where it cannot be run. */
  versionOf(program: string): Promise<string | undefined>;
}

/** What looks at connections, and mends them. It edits configurations of other tools, so it is a file of its own that is loaded when it is needed. */
export interface ToolDoctor {
  /** Tools that were connected here, or whose own files lead to the local endpoint; in the order of the picker. */
  patients(patient: Patient): Promise<string[]>;
  /** Checks one tool and writes nothing; errors come first. */
  examine(tool: string, patient: Patient): Promise<Finding[]>;
  /** @param token the tool's own, for a connection that is written again @returns the files that were written */
  mend(tool: string, how: Mend, patient: Patient, token: string): Promise<string[]>;
}
