import type { Config } from '../config/config.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import type { RateLimiter } from '../limits/rateLimiter.ts';
import type { ModelFactsCache } from '../models/factsBook.ts';
import type { ModelDirectory } from '../models/modelDirectory.ts';

/** The parts of the server whose state decides where a request can go. */
export interface RoutingState {
  config(): Config;
  readonly directory: Pick<ModelDirectory, 'modelsOf' | 'servedBy' | 'upstreamName' | 'canonicalName'>;
  readonly modelFacts: Pick<ModelFactsCache, 'facts'>;
  readonly healthRegistry: Pick<HealthRegistry, 'admission'>;
  readonly limiter: Pick<RateLimiter, 'admission' | 'keyAdmission'>;
  readonly keys: Pick<KeyPool, 'hasKeys' | 'blocked'>;
}
