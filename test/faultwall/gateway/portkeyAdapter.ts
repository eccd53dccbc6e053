import type { ProtocolName } from '../../../server/api/conversation.ts';
import { callers } from '../callers/callers.ts';
import type { GatewayAdapter } from './gatewayAdapter.ts';
import { helperVersion } from './portkeyProcess.ts';

/** As long as this server's own timers wait in the rows about silence, in milliseconds. */
const requestTimeoutMs = 500;

const providers: Partial<Record<ProtocolName, string>> = { 'openai-chat': 'openai', 'openai-responses': 'openai', 'anthropic-messages': 'anthropic', 'gemini': 'google' };
/** Anthropic's API demands a limit that Chat requests need not have. */
const overrides: Partial<Record<ProtocolName, object>> = { 'anthropic-messages': { override_params: { max_tokens: 1000 } } };

/** Portkey's gateway takes its configuration with each request, in a header. */
export const portkeyAdapter: GatewayAdapter = {
  pairs: [
    { caller: 'openai-chat', target: 'openai-chat' },
    { caller: 'openai-chat', target: 'anthropic-messages' },
    { caller: 'openai-chat', target: 'gemini' },
    { caller: 'anthropic-messages', target: 'anthropic-messages' },
    { caller: 'openai-responses', target: 'openai-responses' },
  ],
  how: [
    'Each request carries its configuration in `x-portkey-config`: `strategy.mode` is `fallback` without `on_status_codes`, so that every status but 2xx moves on; two `targets`,'
    + ' a and b, each with its `custom_host`.',
    `\`request_timeout\` is ${requestTimeoutMs} ms, as long as Waybill's own timers wait in the rows about silence. It has no other timer.`,
    'Where a is the only target: `retry` with one attempt, its own list of status codes and `use_retry_after_header`.',
    'With a list of status codes without 400 and 422 it would pass rows 20 and 22, and then fail those of rows 17 and 21 where the provider says 400.',
    `Installed with \`@hono/node-server\` ${helperVersion['@hono/node-server']}: with newer ones none of its streams work (its issue 1389).`,
    'Streams of Gemini were left out: it asks for the form that is one long JSON array, which the simulated provider does not speak.',
    'It has no endpoint for Gemini. Messages can be asked of targets that speak Messages only, Responses of targets that speak Responses only.',
  ],
  question(row, cell, base) {
    const { caller, target } = cell;
    const provider = providers[target];
    if (target === 'gemini' && cell.mode === 'stream') return undefined;
    if (provider === undefined || caller === 'editor') return undefined;
    const at = (url: string): object => ({
      provider, api_key: 'sandbox-key-number-1', custom_host: customHost(target, url), request_timeout: requestTimeoutMs, ...overrides[target],
    });
    const config = row.alone === true
      ? { ...at(base.a), retry: { attempts: 1, use_retry_after_header: true } }
      : { strategy: { mode: 'fallback' }, targets: [at(base.a), at(base.b)] };
    return {
      model: 'sandbox-model',
      headers: { ...callers[caller].headers('sandbox-key-number-1'), 'x-portkey-config': JSON.stringify(config) },
    };
  },
};

/** Its custom hosts end where the provider's own base URL does. */
function customHost(target: ProtocolName, url: string): string {
  const root = url.replace(/\/v1$/, '');
  return target === 'gemini' ? root : `${root}/v1`;
}
