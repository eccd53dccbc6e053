import type { Command, Wrong } from './command.ts';

/** An option. @property value what its value is called, such as `FILE`; absent: it has none */
export interface OptionSpec {
  readonly value?: string;
  readonly text: string;
  readonly required?: true;
  /** It can be given several times. */
  readonly many?: true;
  /** The actions that have it; absent: all. */
  readonly of?: readonly string[];
}

/** What a command does is chosen by the word behind its name. @property words what follows it, such as `ID`; absent: nothing */
export interface ActionSpec { readonly words?: string; readonly text: string }

/** The groups of commands, in the order in which they are described. */
export const commandGroups = ['Serving', 'A running server', 'Spend and records', 'Rules', 'Access and tools'] as const;

/** One command: how it is written, described and read. */
export interface CommandSpec {
  readonly name: string;
  readonly group: (typeof commandGroups)[number];
  /** What it does, in one sentence. */
  readonly summary: string;
  /** What else a person has to know, a sentence or more a line. */
  readonly notes?: readonly string[];
  /** Absent: it has no actions. */
  readonly actions?: Readonly<Record<string, ActionSpec>>;
  /** What follows the name, such as `[TOOL ...]`. */
  readonly words?: string;
  /** The most words behind the name and the action. */
  readonly mostWords: number;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** How it is used, each with what it is for. */
  readonly examples?: readonly (readonly [line: string, text: string])[];
  read(given: Given): Command | Wrong;
}

/** The words and options of a command line; each option is one that the command has. */
export class Given {
  /** The word that chooses what to do; empty where the command has no actions. */
  readonly action: string;
  /** The words behind it. */
  readonly words: readonly string[];
  /** What follows the name, as it was written. */
  readonly argv: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(given: Pick<Given, 'action' | 'words' | 'argv' | 'now'> & { values: ReadonlyMap<string, readonly string[]> }) {
    this.action = given.action;
    this.words = given.words;
    this.argv = given.argv;
    this.now = given.now;
    this.#values = given.values;
  }

  /** The value of an option, the last one that was given. */
  value(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All values of an option, in order. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}
