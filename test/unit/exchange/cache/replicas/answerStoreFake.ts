import type { AnswersConfig } from '../../../../../server/config/state/stateConfig.ts';
import { StateAwayError, type StateReply, type StateScript, type StateStore } from '../../../../../server/state/stateStore.ts';

export const answersConfig: AnswersConfig = { secret: 'a secret of thirty-two characters', maxBytes: 1_000_000, maxAnswerBytes: 100_000, waitMs: 5_000 };

/** A store that keeps answers as the scripts of Redis do, without bounds, at a time that is set by hand. */
export class AnswerStoreFake implements Pick<StateStore, 'isUp' | 'run'> {
  isUp = true;
  now = 1_000_000;
  readonly kept = new Map<string, { at: number; text: string }>();
  readonly asked: string[] = [];
  readonly #cleared = new Map<string, number>();
  /** Set: the next reading is answered when `answer` is called. */
  isSlow = false;
  answer: () => void = () => undefined;

  async run({ name }: StateScript, keys: readonly string[], args: readonly (string | number)[]): Promise<StateReply> {
    if (!this.isUp) throw new StateAwayError('away', false);
    this.asked.push(name);
    switch (name) {
      case 'read an answer': {
        if (this.isSlow) await new Promise<void>(resolve => { this.answer = resolve; });
        for (const [place, key] of keys.slice(1).entries()) {
          const found = this.kept.get(key);
          if (found !== undefined && found.at > (this.#cleared.get(keys[0] ?? '') ?? 0) && this.now - found.at < Number(args[0])) return [place, this.now - found.at, found.text];
        }
        return null;
      }
      case 'keep an answer': this.kept.set(keys[3] ?? '', { at: this.now, text: String(args[0]) }); return 1;
      case 'clear answers': this.#cleared.set(keys[0] ?? '', this.now); return 1;
      default: throw new Error(`There is no script "${name}".`);
    }
  }
}
