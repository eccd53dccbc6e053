import type { ArmOfPlan } from '../../api/canary.ts';

/** More conversations than anyone has open at once. */
const mostKept = 2_000;

/** Conversations that began at the baseline stay there when the share grows; those at the canary stay by their draw. */
export class KeptArms {
  /** The runs and conversations at the baseline, the one used longest ago first. */
  readonly #atBaseline = new Set<string>();

  /** @param drawn the arm by the share of now @param conversation empty: it stands by itself */
  kept(run: string, conversation: string, drawn: ArmOfPlan | undefined): ArmOfPlan | undefined {
    if (drawn === undefined || conversation === '' || drawn.share >= 100) return drawn;
    const key = `${run} ${conversation}`;
    const known = this.#atBaseline.delete(key);
    if (drawn.arm === 'canary' && !known) return drawn;
    this.#atBaseline.add(key);
    if (this.#atBaseline.size > mostKept) for (const oldest of this.#atBaseline) { this.#atBaseline.delete(oldest); break; }
    return drawn.arm === 'baseline' ? drawn : { ...drawn, arm: 'baseline', why: 'the conversation began at the baseline and stays there' };
  }
}
