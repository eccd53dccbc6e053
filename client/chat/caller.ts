import { t } from '@vscode/l10n';
import type { Caller } from '../../server/api/receipt.ts';

/** What the editor reveals about the caller, where it does. */
export interface CallerHints {
  /** The extension (or part of the editor) that asks. */
  readonly requestInitiator?: unknown;
  readonly modelOptions?: Readonly<Record<string, unknown>> | undefined;
  readonly tools?: readonly unknown[] | undefined;
}

/** What the editor's own chat calls itself. */
const editorInitiators: ReadonlySet<string> = new Set(['github.copilot-chat', 'core', '']);
/** The id of an extension: its publisher, a dot, its name. */
const extensionId = /^[\w-]+\.[\w-]+$/;

/**
 * Who a request's cost belongs to. The editor's own small requests (titles, summaries) come without tools and
 * without a conversation; an agent's come with tools.
 */
export function callerFrom(hints: CallerHints, workspace: string | undefined, branch?: string): Caller {
  const conversationHint = hints.modelOptions?.['_conversationId'];
  const conversation = typeof conversationHint === 'string' && conversationHint !== '' ? conversationHint : undefined;
  const hasTools = (hints.tools?.length ?? 0) > 0;
  const initiator = typeof hints.requestInitiator === 'string' ? hints.requestInitiator : '';
  return {
    tool: editorInitiators.has(initiator) ? 'vscode-chat' : initiator,
    ...(extensionId.test(initiator) ? { extension: initiator } : {}),
    ...(workspace === undefined ? {} : { workspace }),
    ...(branch === undefined ? {} : { branch }),
    ...(conversation === undefined ? {} : { conversation }),
    purpose: hasTools ? 'agent' : conversation === undefined ? 'utility' : 'chat',
  };
}

/** Why the requests of an extension are refused; undefined: they are not. @param blocked ids of extensions, in any case */
export function refusalOf(extension: string | undefined, blocked: readonly string[]): string | undefined {
  if (extension === undefined || !blocked.some(one => one.toLowerCase() === extension.toLowerCase())) return undefined;
  return t('The extension "{0}" may not use models of Waybill: it is in the setting "waybill.blockedExtensions". Allow it by "Waybill: Block Extension…".', extension);
}
