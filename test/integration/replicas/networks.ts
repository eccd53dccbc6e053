// Networks in a process of its own, so that the load of the test does not slow them down: `fork` it with ports of engines; see startNetworks.
import { startNetwork, type Network } from '../../support/engines/network.ts';

/** Sets the state of one of them. */
export interface NetworkOrder { readonly index: number; readonly state: Network['state'] }

const networks = await Promise.all(process.argv.slice(2).map(port => startNetwork(Number(port))));
process.on('message', ({ index, state }: NetworkOrder) => {
  const network = networks[index];
  if (network !== undefined) network.state = state;
});
process.once('disconnect', () => process.exit());
process.send?.(networks.map(({ port }) => port));
