import { expandVariables } from '../environment.ts';
import type { Report } from '../schemaProblems.ts';

/** A text of the configuration with its variables replaced. */
export interface SettingText { readonly text: string; readonly isFromEnvironment: boolean }

/** Reads the texts of one group of settings, and reports those whose variables cannot be replaced. */
export class SettingTexts {
  readonly #place: readonly string[];
  readonly #consequence: string;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #report: Report;
  #areRead = true;

  /** @param place of the group in the configuration @param consequence begins what is reported */
  constructor(place: readonly string[], consequence: string, environment: Readonly<Record<string, string | undefined>>, report: Report) {
    this.#place = place;
    this.#consequence = consequence;
    this.#environment = environment;
    this.#report = report;
  }

  /** All that were asked for could be read. */
  get areRead(): boolean {
    return this.#areRead;
  }

  /** @returns undefined where there is none, or it cannot be read */
  read(name: string, text: string | undefined): SettingText | undefined {
    if (text === undefined) return undefined;
    const expanded = expandVariables(text, this.#environment);
    if (!('problem' in expanded)) return { text: expanded.text, isFromEnvironment: expanded.names.length > 0 };
    this.#report([...this.#place, name], `${this.#consequence} in "${name}", ${expanded.problem}.`, expanded.unset);
    this.#areRead = false;
    return undefined;
  }
}
