import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import { callers } from '../callers/callers.ts';
import type { GatewayAdapter } from './gatewayAdapter.ts';

export interface ModelAdapterOptions {
  ports: { a: number; b: number };
  /** Asked for where `a` comes first and then `b`. */
  model: string;
  /** Asked for where `a` is alone; absent: such rows are left out. */
  aloneModel: string | undefined;
  /** Protocols in which the gateway accepts requests. */
  callers: readonly ProtocolName[];
  /** What both providers speak. */
  target: ProtocolName;
  /** The credential that the gateway asks of its callers. */
  token: string;
}

/** Any gateway that is configured beforehand to send a model's requests to one port first and then to another. */
export function modelAdapter({ ports, model, aloneModel, callers: accepted, target, token }: ModelAdapterOptions): GatewayAdapter {
  return {
    pairs: accepted.filter(caller => protocolNames.includes(caller)).map(caller => ({ caller, target })),
    how: [
      `Configured beforehand: \`${model}\` is asked of a provider at port ${ports.a}, then of one at port ${ports.b}; both speak \`${target}\`.`,
      aloneModel === undefined ? 'Rows in which a is the only target were left out.' : `\`${aloneModel}\` is asked of the first alone.`,
    ],
    ports,
    question(row, { caller }) {
      // A request cannot give it other addresses than the two it knows, nor TLS.
      if (caller === 'editor' || row.tls !== undefined || row.settings?.('http://somewhere').baseUrl !== undefined) return undefined;
      const asked = row.alone === true ? aloneModel : model;
      return asked === undefined ? undefined : { model: asked, headers: callers[caller].headers(token) };
    },
  };
}
