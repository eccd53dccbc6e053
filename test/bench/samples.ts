import { median } from './statistics.ts';
import type { SubjectName } from './subjects.ts';

/** Every value that was recorded, by row and subject. */
export class Samples {
  #values = new Map<string, Map<SubjectName, number[]>>();

  add(row: string, subject: SubjectName, value: number): void {
    const subjects = this.#values.get(row) ?? new Map<SubjectName, number[]>();
    this.#values.set(row, subjects);
    const values = subjects.get(subject) ?? [];
    subjects.set(subject, values);
    values.push(value);
  }

  of(row: string, subject: SubjectName): readonly number[] {
    return this.#values.get(row)?.get(subject) ?? [];
  }

  /** undefined when nothing was recorded */
  median(row: string, subject: SubjectName): number | undefined {
    const values = this.of(row, subject);
    return values.length === 0 ? undefined : median(values);
  }
}
