import type { LastingFacts, OfferedModel } from '../../server/api/status.ts';
import type { ConfigPath, ConfigValue } from './configFormat.ts';
import type { FormatName } from './formats.ts';

/** Where a tool looks for its configuration: the user's home, and variables that move it. */
export interface Surroundings {
  home: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** Whether there is a file or folder of that path. */
  exists(file: string): boolean;
}

/** A route or model, as a request names it, with what is known of it. */
export type ConnectedModel = Pick<OfferedModel, 'requestedModel'> & Partial<OfferedModel>;

/** What a tool is to use. */
export interface Connection {
  /** The local endpoint without a path, such as `http://127.0.0.1:7717`. */
  url: string;
  token: string;
  model: ConnectedModel;
  /** What the tool uses for single roles, by the role's id; others use `model`. */
  roles?: Readonly<Record<string, ConnectedModel>> | undefined;
  /** Milliseconds since the epoch. */
  at: number;
}

/** One value that a tool's configuration is given. */
export interface Setting {
  path: ConfigPath;
  value: ConfigValue;
  /** Where in the value a token stands, which is then not shown; `[]`: the value is one. */
  secret?: readonly string[];
  /**
   * A part of the value that says whose it is: as long as it is as we wrote it, the whole value is ours, whatever the
   * tool has added to it.
   */
  mark?: readonly string[];
  /**
   * Parts of the value that say what the route can do, `[[]]` for the whole: they are kept true when the route changes, as
   * long as they are as we wrote them.
   */
  follows?: readonly (readonly string[])[];
  /** Something the file cannot be without; left as it is where there is one already. */
  ifAbsent?: boolean;
}

export interface FileSettings { file: string; format: FormatName; settings: readonly Setting[] }

/** A kind of work for which a tool asks for a model by a name of its own. */
export interface ModelRole { id: string; title: string; detail: string }

export interface Tool {
  /** As the ledger names the tool. */
  id: string;
  name: string;
  /** Any of these shows that the tool is used here. */
  traces(where: Surroundings): string[];
  files(where: Surroundings, connection: Connection): FileSettings[];
  roles?: readonly ModelRole[];
  /** What a person should know about it, one sentence. */
  note?: string;
}

/** What is known of a model for good; undefined for a name that was typed. */
export function lastingOf({ lasting, maxInputTokens, maxOutputTokens }: ConnectedModel): LastingFacts | undefined {
  return lasting ?? (maxInputTokens === undefined ? undefined : { maxInputTokens, maxOutputTokens });
}
