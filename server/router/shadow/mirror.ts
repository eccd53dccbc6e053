import type { AttemptStarted } from '../../exchange/events.ts';
import type { ExchangeInput } from '../../exchange/request.ts';
import type { Receipt } from '../../api/receipt.ts';
import type { ShadowArm } from '../../api/shadow.ts';
import type { ShadowConfig } from '../../config/config.ts';
import type { HeardAnswer } from './heardAnswer.ts';
import type { ShadowState } from './shadowState.ts';

/** A route whose shadow runs. */
export interface LiveShadow {
  readonly route: string;
  readonly rules: ShadowConfig;
  readonly state: ShadowState;
  /** The run that the route was drawn for. */
  readonly run: string;
}

/** One request that is sent for a shadow. */
export interface MirroredCopy {
  readonly id: string;
  readonly arm: ShadowArm;
  readonly target: string;
  readonly heard: HeardAnswer;
  /** Micro-dollars that are set aside for it. */
  readonly reserved: number;
  cancel: () => void;
  timer: NodeJS.Timeout | undefined;
  timedOut: boolean;
  /** Present once it has ended and has its price. */
  receipt: Receipt | undefined;
}

/** A request of a caller that was drawn for the shadow of its route, and what becomes of it. */
export class Mirror {
  readonly live: LiveShadow;
  readonly input: ExchangeInput;
  /** The answer that the caller gets. */
  readonly heard: HeardAnswer;
  /** The caller's first attempt; undefined until it is sent. */
  first: AttemptStarted | undefined;
  /** The receipt of the caller's request; undefined until it has ended and has its price. */
  own: Receipt | undefined;
  /** Undefined until what is sent is known. */
  copies: MirroredCopy[] | undefined;
  /** The response cache answered the caller, so nothing is compared. */
  isKept = false;
  #isReleased = false;

  constructor(live: LiveShadow, input: ExchangeInput, heard: HeardAnswer) {
    this.live = live;
    this.input = input;
    this.heard = heard;
    // The bytes of the body are needed until the last copy has ended, whatever becomes of the caller.
    input.body.raw?.memory?.lend();
  }

  /** Everything that is compared has ended. */
  get isOver(): boolean {
    return this.own !== undefined && this.copies?.every(({ receipt }) => receipt !== undefined) === true;
  }

  /** Nothing more is sent for it, and nothing is kept of it. @returns whether it was not released before */
  release(): boolean {
    if (this.#isReleased) return false;
    this.#isReleased = true;
    this.heard.forget();
    for (const { heard } of this.copies ?? []) heard.forget();
    this.input.body.raw?.memory?.giveBack();
    return true;
  }
}
