import { isSimulated, simulatedModel } from '../../api/firstRun/simulated.ts';
import type { EndpointSettings } from '../../api/settings.ts';
import type { Simulation } from '../../inbound/lsp/features/feature.ts';
import type { SandboxProvider } from '../../sandbox/sandboxProvider.ts';
import type { SandboxProtocol } from '../../sandbox/wires/sandboxWire.ts';

/** What agent mode asks of a model. */
const simulatedLimits = { contextWindow: 200_000, maxOutputTokens: 32_000, tools: true, images: true };

interface Played { protocol: SandboxProtocol; provider: Promise<SandboxProvider> }

/**
 * The simulated providers of the settings, each played by this process at a port of its own. They start when settings
 * name them for the first time, and what plays them is loaded then.
 */
export class SimulatedProviders implements Simulation {
  readonly #played = new Map<string, Played>();
  #closed = false;

  async addressed(endpoints: Readonly<Record<string, EndpointSettings>>): ReturnType<Simulation['addressed']> {
    const simulated = Object.entries(endpoints).filter(([, settings]) => isSimulated(settings));
    if (simulated.length === 0) return { endpoints, problems: [] };
    const problems: string[] = [];
    const result: Record<string, EndpointSettings> = { ...endpoints };
    await Promise.all(simulated.map(async ([name, settings]) => {
      const protocol = protocolOf(settings);
      try {
        const { url } = await this.#play(name, protocol);
        // An address of the settings is not used: what is called simulated goes to no other server.
        result[name] = { ...settings, protocol, baseUrl: url, models: settings.models ?? { [simulatedModel]: simulatedLimits } };
      } catch (error) {
        problems.push(`The simulated provider "${name}" could not be started: ${error instanceof Error ? error.message : String(error)}`);
        Reflect.deleteProperty(result, name);
      }
    }));
    return { endpoints: result, problems };
  }

  async endOthers(endpoints: Readonly<Record<string, EndpointSettings>>): Promise<void> {
    if (this.#played.size === 0) return;
    const kept = new Set(Object.keys(endpoints).filter(name => endpoints[name] !== undefined && isSimulated(endpoints[name])));
    await Promise.all([...this.#played.keys()].filter(name => !kept.has(name)).map(name => this.#end(name)));
  }

  /** Ends every provider; doing so twice is safe. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.endOthers({});
  }

  async #play(name: string, protocol: SandboxProtocol): Promise<SandboxProvider> {
    const known = this.#played.get(name);
    if (known?.protocol === protocol) return known.provider;
    if (known !== undefined) await this.#end(name);
    if (this.#closed) throw new Error('the server is ending.');
    const provider = import('../../sandbox/simulatedProviders.ts').then(({ startSimulatedProvider }) => startSimulatedProvider(name, protocol));
    this.#played.set(name, { protocol, provider });
    // One that could not be started is tried again with the next settings.
    provider.catch(() => { this.#played.delete(name); });
    return provider;
  }

  async #end(name: string): Promise<void> {
    const played = this.#played.get(name);
    this.#played.delete(name);
    await played?.provider.then(one => one.close(), () => undefined);
  }
}

function protocolOf({ protocol }: EndpointSettings): SandboxProtocol {
  return protocol === 'anthropic-messages' || protocol === 'openai-responses' || protocol === 'gemini' ? protocol : 'openai-chat';
}
