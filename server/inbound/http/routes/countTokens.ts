import type { ProtocolName } from '../../../api/conversation.ts';
import { textTokens, tokensPerImage } from '../../../api/tokenEstimate.ts';
import { hopsHeader, readHops } from '../../../base/hops.ts';
import { isObject, parseJson, type JsonObject } from '../../../base/json.ts';
import { spliceFields } from '../../../base/objectScan.ts';
import type { RawBody } from '../../../exchange/request.ts';
import type { Router } from '../../../router/router.ts';
import { tokenCountOf } from '../../../protocols/usageFigures.ts';
import { isRefused, isSubagent, protocolHeaders, readInference, refuseBeyondLimits, watchedWords } from '../inference.ts';
import { callerOf } from '../request/callerOf.ts';
import { decodePathPart, geminiCallPath } from '../request/requestPath.ts';
import type { RequestFacts } from '../request/requirements.ts';
import type { HttpRoute } from './httpRoute.ts';

/** How many tokens a prompt has, in the protocols that can ask for it. */
export const countTokensRoutes: readonly HttpRoute[] = [
  countRoute('/messages/count_tokens', 'anthropic-messages'),
  countRoute('/responses/input_tokens', 'openai-responses'),
  countRoute(geminiCallPath('countTokens'), 'gemini'),
];

function countRoute(path: string | RegExp, protocol: ProtocolName): HttpRoute {
  return {
    methods: ['POST'], path, access: 'token', protocol,
    handle: (call, { router, responseItems }) => call.readBody(watchedWords, async body => {
      const named = protocol === 'gemini' ? { model: decodePathPart(call.groups[0] ?? '') } : {};
      const read = readInference(call, responseItems, protocol, named, body);
      if (read === undefined) return;
      const model = router.modelFor(callerOf(call.request.headers, call.tool).tool, read.facts.model, isSubagent(call.request));
      if (call.access !== undefined && isRefused(call, call.access, router, model)) return;
      const id = call.access === undefined ? undefined : router.newId();
      if (call.access !== undefined && id !== undefined) {
        // A count is a request of the token, and takes none of its tokens.
        const refusal = router.tokens.enterCount(call.access, id) ?? await router.tokens.admitCount(id);
        if (refusal !== undefined) {
          router.tokens.limits.ended({ id, attempts: [] });
          refuseBeyondLimits(call, call.access.name, refusal, router.clock.now());
          return;
        }
      }
      try {
        call.json(200, await countTokens(router, protocol, { ...read.facts, model }, read, protocolHeaders(protocol, call.request), readHops(call.request.headers[hopsHeader])));
      } finally {
        if (id !== undefined) router.tokens.limits.ended({ id, attempts: [] });
      }
    }),
  };
}

/**
 * Counts the tokens of a prompt: at the first target where it speaks the caller's protocol and gives a count, else
 * estimated by length, so that no tool has to spend a generation on counting.
 * @returns the count in the shape of the protocol
 */
export async function countTokens(
  router: Pick<Router, 'countTokens'>, protocol: ProtocolName, facts: RequestFacts, raw: Pick<RawBody, 'bytes' | 'scan'>, headers: Readonly<Record<string, string>>, hops?: string,
): Promise<JsonObject> {
  const counted = await router.countTokens({
    protocol, requestedModel: facts.model, requirements: facts.requirements, headers, hops,
    body: model => (protocol === 'gemini' ? [raw.bytes] : spliceFields(raw.bytes, raw.scan, [{ name: 'model', json: JSON.stringify(model) }])),
  });
  const field = protocol === 'gemini' ? 'totalTokens' : 'input_tokens';
  const body = counted === undefined ? undefined : parseJson(counted);
  if (isObject(body) && tokenCountOf(body[field]) !== undefined) return body;
  const tokens = textTokens(raw.bytes.length - raw.scan.base64Bytes, 'likely') + (facts.requirements.images ? tokensPerImage.cautious : 0);
  return protocol === 'openai-responses' ? { object: 'response.input_tokens', [field]: tokens } : { [field]: tokens };
}
