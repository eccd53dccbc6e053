import type { ConfigProblem } from '../api/status.ts';
import { emptyConfig, type Config } from '../config/config.ts';

/** The configuration in use, and what is wrong with it. Written by the `Configurator` alone. */
export class CurrentConfig {
  config: Config = emptyConfig;
  problems: ConfigProblem[] = [];

  /** False until the first configuration is here. */
  get isConfigured(): boolean {
    return this.config !== emptyConfig;
  }
}
