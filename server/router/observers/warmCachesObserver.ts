import type { ExchangeObserver } from '../../exchange/events.ts';
import type { ResolvedTarget } from '../../routing/routeTable.ts';
import type { WarmCaches } from '../../routing/warmth/warmCaches.ts';

/** Plans learn what the caches of targets hold of a conversation. @param target undefined where the endpoint is gone */
export function warmCachesObserver(warm: Pick<WarmCaches, 'answered'>, target: (endpoint: string, model: string) => Pick<ResolvedTarget, 'endpoint'> | undefined): ExchangeObserver {
  return {
    name: 'The memory of warm caches',
    onEnded({ receipt }) {
      const { cache, purpose, targets } = receipt.plan;
      if (cache === undefined || cache.errand === true) return;
      for (const { target: name, endpoint, model, upstreamModel, startedAt, usage, outcome, drill } of receipt.attempts) {
        const provider = target(endpoint, model)?.endpoint.provider.id;
        if (provider === undefined || drill === true || (outcome !== 'ok' && usage.cacheReadTokens === undefined && usage.cacheWriteTokens === undefined)) continue;
        warm.answered({
          conversation: cache.conversation, target: name, provider, upstreamModel, startedAt, usage, estimatedTokens: cache.estimatedTokens,
          led: name === receipt.target && outcome !== 'failed', forced: cache.forced === true || targets[0]?.target !== name, kind: purpose?.kind,
        });
      }
    },
  };
}
