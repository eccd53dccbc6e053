import type { ContentPart, ConversationRequest, ProtocolName } from '../../../api/conversation.ts';
import { TransientMap } from '../../../base/collections/transientMap.ts';
import type { OtlpTraces } from '../../../config/monitoring/monitoringConfig.ts';
import type { ExchangeInput, RequestBody, ResponseSink } from '../../../exchange/request.ts';
import type { ProtocolCodec } from '../../../protocols/codec.ts';
import { HeardAnswer, overheard } from '../../shadow/heardAnswer.ts';

/** A message as the OpenTelemetry conventions write it. */
interface TracedMessage { role: string; parts: { type: 'text' | 'tool_call' | 'tool_call_response'; content?: string; id?: string; name?: string; arguments?: string; response?: string }[] }

interface Kept { heard: HeardAnswer | undefined; protocol: ProtocolName | 'editor'; prompt?: string | undefined }

/** Texts of requests and answers for their traces, as the user asked for: in bounds, without known secrets, and only while an exchange runs. */
export class TracedContents {
  readonly #config: Pick<OtlpTraces, 'prompts' | 'answers' | 'contentCharacters'>;
  readonly #codecFor: (protocol: ProtocolName) => ProtocolCodec | undefined;
  readonly #redact: (text: string) => string;
  readonly #kept = new TransientMap<Kept>();

  constructor(config: Pick<OtlpTraces, 'prompts' | 'answers' | 'contentCharacters'>, codecFor: (protocol: ProtocolName) => ProtocolCodec | undefined, redact: (text: string) => string) {
    this.#config = config;
    this.#codecFor = codecFor;
    this.#redact = redact;
  }

  /** How many exchanges something is kept of. */
  get size(): number {
    return this.#kept.size;
  }

  /** Before an exchange begins. @returns the sink to give it: its own, or one that hears the answer */
  heard({ id, protocol }: ExchangeInput, sink: ResponseSink): ResponseSink {
    if (!this.#config.answers) return sink;
    const heard = new HeardAnswer();
    this.#kept.set(id, { heard, protocol });
    return overheard(sink, heard);
  }

  /** The exchange is traced. Its body is read now, because nobody keeps it. */
  traced(id: string, protocol: ProtocolName | 'editor', body: RequestBody | undefined): void {
    const kept: Kept = this.#kept.get(id) ?? { heard: undefined, protocol };
    if (this.#config.prompts && body?.kind === 'conversation') kept.prompt = this.#promptOf(() => body.decoded());
    if (kept.heard !== undefined || kept.prompt !== undefined) this.#kept.set(id, kept);
  }

  /** The exchange is not traced. */
  forget(id: string): void {
    const kept = this.#kept.get(id);
    this.#kept.delete(id);
    kept?.heard?.forget();
  }

  /** What was said. To be asked once. */
  of(id: string): { prompt?: string | undefined; answer?: string | undefined } {
    const kept = this.#kept.get(id);
    this.#kept.delete(id);
    return kept === undefined ? {} : { prompt: kept.prompt, answer: this.#answerOf(kept) };
  }

  #promptOf(decoded: () => ConversationRequest): string | undefined {
    let request: ConversationRequest;
    try {
      request = decoded();
    } catch {
      // A body that cannot be understood is refused by the exchange itself.
      return undefined;
    }
    const system: TracedMessage[] = request.system.length === 0 ? [] : [{ role: 'system', parts: request.system.map(({ text }) => ({ type: 'text', content: text })) }];
    const messages = request.messages.map(({ role, content }): TracedMessage => ({ role, parts: content.flatMap(partOf) }));
    return this.#written([...system, ...messages]);
  }

  #answerOf({ heard, protocol }: Kept): string | undefined {
    const codec = this.#codecFor(protocol === 'editor' ? 'openai-chat' : protocol);
    const said = codec === undefined ? undefined : heard?.said({ codec, dialect: {} });
    if (said === undefined) return undefined;
    const calls = said.calls.map(({ name, arguments: given }) => ({ type: 'tool_call' as const, name, arguments: given }));
    return this.#written([{ role: 'assistant', parts: [...(said.text === '' ? [] : [{ type: 'text' as const, content: said.text }]), ...calls] }]);
  }

  /** The last messages, as far as the bound reaches: what is new in a request stands at its end. */
  #written(messages: readonly TracedMessage[]): string {
    let left = this.#config.contentCharacters;
    const written: TracedMessage[] = [];
    for (const message of messages.toReversed()) {
      if (left <= 0) break;
      const parts = message.parts.map(part => {
        const cut = { ...part };
        for (const field of ['content', 'arguments', 'response'] as const) {
          const text = cut[field];
          if (text === undefined) continue;
          cut[field] = this.#redact(text).slice(0, Math.max(0, left));
          left -= text.length;
        }
        return cut;
      });
      written.unshift({ ...message, parts });
    }
    return JSON.stringify(written);
  }
}

/** Pictures and documents do not leave, nor does reasoning. */
function partOf(part: ContentPart): TracedMessage['parts'] {
  switch (part.type) {
    case 'text':
    case 'refusal': return [{ type: 'text', content: part.text }];
    case 'tool-call': return [{ type: 'tool_call', id: part.id, name: part.name, arguments: part.arguments }];
    case 'tool-result': return [{ type: 'tool_call_response', id: part.callId, response: part.content.map(one => (one.type === 'text' ? one.text : '')).join('') }];
    case 'image': case 'document': case 'thinking': return [];
  }
}
