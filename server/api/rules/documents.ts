import { notificationType, requestType } from '../messageTypes.ts';
import type { TextPosition, TextRange } from '../status.ts';

/** The parts of the Language Server Protocol (3.17) that are spoken about configuration files, as far as they are used. */

export interface DocumentId { uri: string }
export interface DidOpenParams { textDocument: DocumentId & { version: number; text: string } }
/** Whole texts: the server asks for no parts. */
export interface DidChangeParams { textDocument: DocumentId & { version: number }; contentChanges: { text: string }[] }
export interface DidCloseParams { textDocument: DocumentId }
export interface PlaceParams { textDocument: DocumentId; position: TextPosition }

export interface CompletionItem {
  label: string;
  /** Of LSP: 5 field, 13 enum, 12 value, 18 reference, 9 module. */
  kind: number;
  detail?: string | undefined;
  documentation?: { kind: 'markdown'; value: string } | undefined;
  sortText: string;
  filterText: string;
  textEdit: { range: TextRange; newText: string };
}
export interface HoverResult { contents: { kind: 'markdown'; value: string }; range: TextRange }
export interface Diagnostic { range: TextRange; severity: number; source: string; message: string }
export interface DiagnosticsParams { uri: string; version?: number | undefined; diagnostics: Diagnostic[] }
export interface CodeLens { range: TextRange; command: { title: string; command: string; arguments: unknown[] } }

export const didOpenNotification = notificationType<DidOpenParams>('textDocument/didOpen');
export const didChangeNotification = notificationType<DidChangeParams>('textDocument/didChange');
export const didCloseNotification = notificationType<DidCloseParams>('textDocument/didClose');
export const diagnosticsNotification = notificationType<DiagnosticsParams>('textDocument/publishDiagnostics');
export const completionRequest = requestType<PlaceParams, CompletionItem[]>('textDocument/completion');
export const hoverRequest = requestType<PlaceParams, HoverResult | null>('textDocument/hover');
