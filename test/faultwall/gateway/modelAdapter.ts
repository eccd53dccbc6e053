import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import { callers } from '../callers/callers.ts';
import type { GatewayAdapter } from './gatewayAdapter.ts';

export interface ModelAdapterOptions {
  ports: { a: number; b: number };
  /** Asked for where `a` comes first and then `b`. */
  model: string;
  /** Asked for where `a` is alone; absent: such rows are left out. */
  aloneModel: string | undefined;
  /** What the gateway has doors for. */
  callers: readonly ProtocolName[];
  /** What both providers speak. */
  target: ProtocolName;
  /** What the gateway asks its callers for. */
  token: string;
}

/** Any gateway that was told beforehand to send a model's requests to one port first and then to another. */
export function modelAdapter({ ports, model, aloneModel, callers: doors, target, token }: ModelAdapterOptions): GatewayAdapter {
  return {
    pairs: doors.filter(caller => protocolNames.includes(caller)).map(caller => ({ caller, target })),
    how: [
      `Configured beforehand: \`${model}\` is asked of a provider at port ${ports.a}, then of one at port ${ports.b}; both speak \`${target}\`.`,
      aloneModel === undefined ? 'Rows in which a is the only target were left out.' : `\`${aloneModel}\` is asked of the first alone.`,
    ],
    ports,
    question(row, { caller }) {
      // Other addresses than the two it knows, or TLS, it cannot be given in passing.
      if (caller === 'editor' || row.tls !== undefined || row.settings?.('http://somewhere').baseUrl !== undefined) return undefined;
      const asked = row.alone === true ? aloneModel : model;
      return asked === undefined ? undefined : { model: asked, headers: callers[caller].headers(token) };
    },
  };
}
