import type { BilledExtras, ConversationEvent, StopReason, TokenUsage } from '../../api/conversation.ts';
import { charactersPerToken } from '../../api/tokenEstimate.ts';
import { isContentEvent, mergeUsage } from '../../protocols/events.ts';

/** Characters of a token, where the provider reports no count. */
export const charsPerToken = charactersPerToken.likely;

/** A longer name of a model is cut off. */
const longestModel = 200;

/** The measurements of an attempt so far; for receipts. */
export interface AttemptFigures {
  status?: number | undefined;
  /** How long the connection took, in milliseconds; absent where a kept one was used. */
  connectMs?: number | undefined;
  /** From the start of the attempt to the headers, in milliseconds, as is `firstTokenMs` to the first content. */
  headersMs?: number | undefined;
  firstTokenMs?: number | undefined;
  usage: TokenUsage;
  /** What is charged beside the tokens; undefined where nothing is. */
  extras?: BilledExtras | undefined;
  /** The provider's figures contradict each other. */
  contradictory: boolean;
  /** The model that the answer names. */
  answeredModel?: string | undefined;
  /** UTF-16 units of text, reasoning and arguments that were generated. */
  generatedChars: number;
}

/** Takes usage, text length and the stop reason out of an answer's events as they come. */
export class UsageMeter {
  readonly figures: AttemptFigures = { usage: {}, contradictory: false, generatedChars: 0 };
  stopReason: StopReason | undefined;
  /** Text, reasoning, a refusal or a tool call is here. */
  hasContent = false;
  /** Some of the content is of a kind that the caller can see. */
  visible = false;
  /** Tool calls that began. */
  toolCalls = 0;
  readonly #wholeCalls: boolean;

  /** @param wholeCalls the caller sees a tool call only when it is whole */
  constructor(wholeCalls: boolean) {
    this.#wholeCalls = wholeCalls;
  }

  /** Counts further events of the answer, in order. @returns whether there is content among them */
  count(events: readonly ConversationEvent[]): boolean {
    let hasContent = false;
    for (const event of events) {
      if (isContentEvent(event)) {
        hasContent = true;
        if (!this.#wholeCalls || (event.type !== 'tool-call-start' && event.type !== 'tool-call-arguments')) this.visible = true;
      }
      this.#add(event);
    }
    if (hasContent) this.hasContent = true;
    return hasContent;
  }

  #add(event: ConversationEvent): void {
    const { figures } = this;
    switch (event.type) {
      case 'start':
        figures.answeredModel ??= event.model?.slice(0, longestModel);
        return;
      case 'text':
      case 'thinking':
      case 'refusal':
      case 'tool-call-arguments':
        figures.generatedChars += event.text.length;
        return;
      case 'tool-call-start':
        figures.generatedChars += event.name.length;
        this.toolCalls += 1;
        return;
      case 'tool-call-end':
        this.visible = true;
        return;
      case 'usage':
        figures.usage = mergeUsage(figures.usage, event.usage);
        if (event.extras !== undefined) figures.extras = event.extras;
        if (event.contradictory === true) figures.contradictory = true;
        return;
      case 'finish':
        this.stopReason = event.reason;
        return;
      default:
    }
  }
}
