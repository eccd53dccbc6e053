import { conditionText } from '../../api/condition.ts';
import { pauseText, type EndpointOrder, type EndpointOrderResult, type EndpointState } from '../../api/endpoints/pause.ts';
import type { Clock } from '../../base/clock.ts';
import type { CurrentConfig } from '../currentConfig.ts';
import type { Prober } from '../prober.ts';
import type { StatusReader } from '../status/status.ts';
import type { Pauses } from './pauses.ts';

export interface EndpointDeskOptions {
  current: CurrentConfig;
  pauses: Pick<Pauses, 'of' | 'pause' | 'resume' | 'forgetFailures'>;
  prober: Pick<Prober, 'check'>;
  status: Pick<StatusReader, 'conditions'>;
  clock: Clock;
}

/** Does with an endpoint what a person asked for: pauses, resumes, probes or resets it. */
export class EndpointDesk {
  readonly #options: EndpointDeskOptions;

  constructor(options: EndpointDeskOptions) {
    this.#options = options;
  }

  /** What every endpoint can do now, in the order of the configuration. */
  states(): EndpointState[] {
    const conditions = this.#options.status.conditions();
    return [...this.#options.current.config.endpoints.values()].map(endpoint => ({ endpoint: endpoint.name, condition: conditions.ofEndpoint(endpoint) }));
  }

  async act({ action, endpoint: name, until }: EndpointOrder): Promise<EndpointOrderResult> {
    const { current, pauses, prober, clock } = this.#options;
    const endpoint = current.config.endpoints.get(name);
    if (endpoint === undefined) return { refused: `There is no endpoint "${name}"; known are ${[...current.config.endpoints.keys()].join(', ') || 'none'}.` };
    const now = clock.now();
    switch (action) {
      case 'pause': {
        if (until !== undefined && until <= now) return { refused: 'A pause has to end later than now.' };
        const note = pauses.pause(name, until);
        return this.#done(name, `${name} is ${pauseText({ until }, now)}; requests go around it.`, note);
      }
      case 'resume': {
        if (pauses.of(name, now) === undefined) return { refused: `${name} is not paused.` };
        return this.#done(name, `${name} is resumed; requests can go to it again.`, pauses.resume(name));
      }
      case 'reset': {
        const note = pauses.forgetFailures(name);
        const left = this.states().find(({ endpoint: one }) => one === name);
        const isFree = left === undefined || left.condition.kind === 'healthy' || left.condition.kind === 'unknown';
        return this.#done(name, `${name}: its failures are forgotten, its breakers are closed and its cooldowns are over.${isFree ? '' : ` What is left: ${conditionText(left.condition, now)}.`}`, note);
      }
      case 'probe': {
        if (!endpoint.enabled) return { refused: `${name} is disabled; enable it first.` };
        await prober.check(endpoint);
        const result = this.#done(name, '', undefined);
        const found = result.endpoints[0];
        return { ...result, message: found === undefined ? `${name} was removed meanwhile.` : `${name}: ${conditionText(found.condition, clock.now())}.` };
      }
    }
  }

  #done(name: string, message: string, note: string | undefined): { endpoints: EndpointState[]; message: string } {
    return { endpoints: this.states().filter(({ endpoint }) => endpoint === name), message: note === undefined ? message : `${message} ${note}` };
  }
}
