import type { ProtocolName } from '../../api/conversation.ts';
import { codecFor } from '../../protocols/registry.ts';

/** The body of an error of the local endpoint's own, in the shape a protocol's clients read. A provider's failures are encoded by `encodeError`. */
export function refusalBody(protocol: ProtocolName, status: number, message: string): object {
  return codecFor(protocol).encodeRefusal(status, message);
}
