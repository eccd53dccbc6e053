import type { JsonObject } from '../../base/json.ts';
import type { SandboxProtocol } from '../wires/sandboxWire.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';

/** Writes a refusal as a provider does. */
export type RefusalWriter = (refusal: StrictRefusal, requestId: string, protocol: SandboxProtocol) => JsonObject;

/** A provider whose refusals are simulated: what it refuses in each protocol it speaks, and how it writes a refusal. */
export interface StrictProvider {
  readonly checks: Partial<Record<SandboxProtocol, readonly StrictCheck[]>>;
  readonly write: RefusalWriter;
  /** Protocols in which it writes refusals in another way. */
  readonly writeIn?: Partial<Record<SandboxProtocol, RefusalWriter>> | undefined;
}

export const openAiBody = ({ message, type, param, code }: StrictRefusal): JsonObject => ({ error: { message, type: type ?? 'invalid_request_error', param: param ?? null, code: code ?? null } });
export const bareBody = ({ message, type }: StrictRefusal): JsonObject => ({ error: { message, type: type ?? 'invalid_request_error' } });
export const anthropicBody = ({ message, type }: StrictRefusal, requestId: string): JsonObject => ({ type: 'error', error: { type: type ?? 'invalid_request_error', message }, request_id: requestId });
export const googleBody = ({ message, status }: StrictRefusal): JsonObject => ({ error: { code: status ?? 400, message, status: 'INVALID_ARGUMENT' } });
export const deepseekBody = ({ message }: StrictRefusal): JsonObject => ({ error: { message, type: 'invalid_request_error', param: null, code: 'invalid_request_error' } });
export const xaiBody = ({ message }: StrictRefusal): JsonObject => ({ code: 'Client specified an invalid argument', error: message });

/** Mistral writes what its schema refuses as Pydantic does, and the rest flat. */
export function mistralBody({ message, type, code, at }: StrictRefusal): JsonObject {
  return at === undefined
    ? { object: 'error', message, type: type ?? 'invalid_request_error', param: null, code: code ?? null }
    : { object: 'error', message: { detail: [{ type: type ?? 'value_error', loc: [...at], msg: message, input: null }] }, type: 'invalid_request_error', param: null, code: null };
}
