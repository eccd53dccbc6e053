import { CancellationTokenSource, Emitter } from 'vscode-jsonrpc/node';

/** What the chat model provider uses of the module `vscode`, with the shapes of the editor's own classes. */

export { CancellationTokenSource, Emitter as EventEmitter };

export class LanguageModelTextPart {
  readonly value: string;

  constructor(value: string) {
    this.value = value;
  }
}

export class LanguageModelThinkingPart {
  readonly value: string;
  readonly id: string | undefined;
  readonly metadata: Record<string, unknown> | undefined;

  constructor(value: string, id?: string, metadata?: Record<string, unknown>) {
    this.value = value;
    this.id = id;
    this.metadata = metadata;
  }
}

export class LanguageModelToolCallPart {
  readonly callId: string;
  readonly name: string;
  readonly input: object;

  constructor(callId: string, name: string, input: object) {
    this.callId = callId;
    this.name = name;
    this.input = input;
  }
}

export class LanguageModelToolResultPart {
  readonly callId: string;
  readonly content: unknown[];

  constructor(callId: string, content: unknown[]) {
    this.callId = callId;
    this.content = content;
  }
}

export class LanguageModelDataPart {
  readonly data: Uint8Array;
  readonly mimeType: string;

  constructor(data: Uint8Array, mimeType: string) {
    this.data = data;
    this.mimeType = mimeType;
  }
}

export const workspace = { workspaceFolders: [{ name: 'bench' }] };
