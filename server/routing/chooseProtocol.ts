import type { ProtocolName } from '../api/conversation.ts';
import { bareModelName } from '../base/names.ts';
import type { ProtocolRule } from '../catalog/provider.ts';
import type { EndpointConfig } from '../config/config.ts';

/** What of a request decides which protocol is spoken to a target. */
export interface ProtocolRequest {
  /** The protocol of the caller; absent for the editor, which has none. */
  caller?: ProtocolName | undefined;
  tools: boolean;
  /** The caller turned reasoning off in the terms of its own protocol. */
  reasoningOff?: boolean | undefined;
}

/** A protocol that a rule of the provider gives requests of one kind, with the endpoint as it is then addressed. */
export interface ProtocolChoice {
  readonly when: ProtocolRule['when'];
  readonly endpoint: EndpointConfig;
}

/** The protocols that one target can be spoken to in. */
export interface TargetProtocols {
  /** The first choice that fits a request holds. */
  readonly choices: readonly ProtocolChoice[];
  /** The endpoint as it is addressed where no choice fits. */
  readonly otherwise: EndpointConfig;
}

const noChoices: readonly ProtocolChoice[] = [];

/**
 * Works out which protocols a target can be spoken to in (see ProtocolRule).
 * @param model canonical
 * @param upstreamModel the provider's own name of it
 */
export function protocolsOf(endpoint: EndpointConfig, model: string, upstreamModel: string = model): TargetProtocols {
  const { protocolRules } = endpoint;
  if (protocolRules === undefined) return { choices: noChoices, otherwise: endpoint };
  const names = [bareModelName(model), bareModelName(upstreamModel)];
  const choices = protocolRules
    .filter(({ models }) => models === undefined || names.some(name => models.test(name)))
    .map(({ when, protocol, baseUrl }): ProtocolChoice => ({ when, endpoint: { ...endpoint, protocol, baseUrl } }));
  return { choices, otherwise: endpoint };
}

/** The endpoint as it is addressed for one request, with the protocol to speak. Allocates nothing: it gives one of the endpoints above. */
export function chooseProtocol({ choices, otherwise }: TargetProtocols, request: ProtocolRequest): EndpointConfig {
  for (const { when, endpoint } of choices) if (fits(when, endpoint.protocol, request)) return endpoint;
  return otherwise;
}

function fits(when: ProtocolRule['when'], protocol: ProtocolName, { caller, tools, reasoningOff }: ProtocolRequest): boolean {
  switch (when) {
    case 'always': return true;
    case 'tools': return tools && reasoningOff !== true;
    case 'caller': return caller === protocol;
  }
}
