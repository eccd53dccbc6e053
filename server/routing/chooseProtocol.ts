import type { ProtocolName } from '../api/conversation.ts';
import type { EndpointConfig } from '../config/config.ts';

/** What decides which protocol a target is spoken to in. */
export interface SpokenRequest {
  /** Canonical model name. */
  model: string;
  upstreamModel?: string | undefined;
  /** The protocol of the caller; absent for the editor, which has none. */
  caller?: ProtocolName | undefined;
  tools: boolean;
  /** The caller turned reasoning off in words its own protocol has for it. */
  reasoningOff?: boolean | undefined;
}

/**
 * The endpoint as it is spoken to for one request: the same object, or one with another protocol and address where a
 * rule of its provider says so (see ProtocolRule).
 */
export function chooseProtocol(endpoint: EndpointConfig, request: SpokenRequest): EndpointConfig {
  if (endpoint.protocolRules === undefined) return endpoint;
  const names = [bareName(request.model), bareName(request.upstreamModel ?? request.model)];
  const rule = endpoint.protocolRules.find(({ protocol, models, when }) => {
    if (models !== undefined && !names.some(name => models.test(name))) return false;
    switch (when) {
      case 'always': return true;
      case 'tools': return request.tools && request.reasoningOff !== true;
      case 'caller': return request.caller === protocol;
    }
  });
  return rule === undefined ? endpoint : { ...endpoint, protocol: rule.protocol, baseUrl: rule.baseUrl };
}

function bareName(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1).toLowerCase();
}
