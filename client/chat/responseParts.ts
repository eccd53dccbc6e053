import { t } from '@vscode/l10n';
import type { StopReason, TokenUsage } from '../../server/api/conversation.ts';
import type { ChatEvent } from '../../server/api/messages.ts';
import { promptTokens } from '../../server/api/usage.ts';
import { UserError } from '../base/errors.ts';
import { isRecord } from './incomingParts.ts';

/** A piece of the answer, before it becomes one of the editor's classes. */
export type ResponsePart =
  | { kind: 'text'; text: string }
  | { kind: 'thinking'; text: string }
  /** Closes a run of reasoning; the metadata comes back with the conversation's next turn. */
  | { kind: 'thinking-done'; metadata: Record<string, unknown> }
  | { kind: 'tool-call'; callId: string; name: string; input: object }
  /** Token counts for the editor's context ring, as JSON text. */
  | { kind: 'usage'; json: string };

interface OpenCall { id: string; name: string; custom: boolean; text: string }

/**
 * Turns a stream of events into parts of the answer. A tool call is handed over only when it is complete, and
 * a run of reasoning is always closed before anything else follows.
 */
export class ResponseAssembler {
  readonly #calls = new Map<number, OpenCall>();
  #thinking: string | undefined;
  #usage: TokenUsage = {};
  #stopReason: StopReason | undefined;
  #shown = false;

  /** A text or a tool call was handed over: the user has seen some of the answer. */
  get shown(): boolean { return this.#shown; }
  get usage(): TokenUsage { return this.#usage; }
  get stopReason(): StopReason | undefined { return this.#stopReason; }

  /** Takes one event; gives the parts it completes. Throws when a complete tool call has arguments that are no JSON object. */
  accept(event: ChatEvent): ResponsePart[] {
    switch (event.type) {
      case 'text':
      case 'refusal':
        if (event.text === '') return [];
        this.#shown = true;
        return [...this.#closeThinking(), { kind: 'text', text: event.text }];
      case 'thinking':
        if (event.text === '') return [];
        this.#thinking = (this.#thinking ?? '') + event.text;
        return [{ kind: 'thinking', text: event.text }];
      case 'thinking-end':
        return this.#endThinking(event);
      case 'tool-call-start':
        this.#calls.set(event.index, { id: event.id, name: event.name, custom: event.kind === 'custom', text: '' });
        return this.#closeThinking();
      case 'tool-call-arguments': {
        const call = this.#calls.get(event.index);
        if (call !== undefined) call.text += event.text;
        return [];
      }
      case 'tool-call-end': {
        const call = this.#calls.get(event.index);
        if (call === undefined) return [];
        this.#calls.delete(event.index);
        const input = inputOf(call);
        this.#shown = true;
        return [{ kind: 'tool-call', callId: call.id, name: call.name, input }];
      }
      case 'usage':
        this.#usage = { ...this.#usage, ...withoutUndefined(event.usage) };
        return [];
      case 'restart': {
        // Text that was shown stays; calls that were not complete are void.
        this.#calls.clear();
        const closed = this.#closeThinking();
        const sentence = `${this.#shown ? '\n\n' : ''}> ${event.message}\n\n`;
        this.#shown = true;
        return [...closed, { kind: 'text', text: sentence }];
      }
      case 'finish':
        this.#stopReason = event.reason;
        return this.#closeThinking();
      case 'start':
      case 'error':
        return [];
    }
  }

  /** What is left when the exchange is over: open reasoning is closed, and the token counts come last. */
  end(finalUsage: TokenUsage): ResponsePart[] {
    this.#usage = { ...this.#usage, ...withoutUndefined(finalUsage) };
    const json = usageJson(this.#usage);
    return [...this.#closeThinking(), ...(json === undefined ? [] : [{ kind: 'usage' as const, json }])];
  }

  #closeThinking(): ResponsePart[] {
    return this.#thinking === undefined ? [] : this.#endThinking({ type: 'thinking-end' });
  }

  #endThinking(event: Extract<ChatEvent, { type: 'thinking-end' }>): ResponsePart[] {
    const opaque = event.signature !== undefined || event.redacted !== undefined || event.encrypted !== undefined;
    if (this.#thinking === undefined && !opaque) return [];
    const text = this.#thinking ?? '';
    this.#thinking = undefined;
    return [{
      kind: 'thinking-done',
      metadata: {
        ...(text === '' ? {} : { _completeThinking: text }),
        ...(event.signature === undefined ? {} : { signature: event.signature }),
        ...(event.redacted === undefined ? {} : { redactedData: event.redacted }),
        ...(event.encrypted === undefined ? {} : { encrypted_content: event.encrypted }),
        ...(event.itemId === undefined ? {} : { itemId: event.itemId }),
        ...(event.origin === undefined ? {} : { origin: event.origin }),
        vscode_reasoning_done: true,
      },
    }];
  }
}

function inputOf(call: OpenCall): object {
  if (call.custom) return { input: call.text };
  if (call.text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(call.text);
  } catch {
    throw brokenCall(call.name);
  }
  if (value === null) return {};
  if (!isRecord(value)) throw brokenCall(call.name);
  return value;
}

function brokenCall(name: string): UserError {
  return new UserError(t('The model called the tool "{0}" with arguments that are not valid JSON: send the message again, or choose another model.', name));
}

/**
 * The usage in the shape the editor reads (OpenAI's). Undefined unless prompt and answer are both known: the
 * editor would show a missing count as nothing used.
 */
export function usageJson(usage: TokenUsage): string | undefined {
  const prompt = promptTokens(usage);
  if (prompt === undefined || usage.outputTokens === undefined) return undefined;
  return JSON.stringify({
    prompt_tokens: prompt,
    completion_tokens: usage.outputTokens,
    total_tokens: prompt + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens ?? 0 },
    ...(usage.reasoningTokens === undefined ? {} : { completion_tokens_details: { reasoning_tokens: usage.reasoningTokens } }),
  });
}

function withoutUndefined(usage: TokenUsage): TokenUsage {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined));
}
