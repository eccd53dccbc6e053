import { createHash } from 'node:crypto';
import type { PlannedTarget } from '../../api/receipt.ts';
import { parseExact } from '../../base/exactJson.ts';
import { isObject } from '../../base/json.ts';
import { chooseProtocol } from '../../routing/chooseProtocol.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import { spokenBy } from '../attempt/outgoing.ts';
import type { ExchangeInput } from '../request.ts';
import { canonicalJson } from './canonicalJson.ts';

/** Changes with the form of keys. */
const formatVersion = 1;
/** The target's own name stands beside the body, and how the answer travels is no part of the question. */
const notAsked: ReadonlySet<string> = new Set(['model', 'stream', 'stream_options']);

/**
 * The key of a request: a digest of all fields of its body and of its protocol's headers, whose keys it belongs to, the route, and
 * the version of the policy. With a target it names an answer; see `keyAt`.
 * @param policy changes with the configuration
 * @returns undefined where the body cannot be read
 */
export function requestKey(input: ExchangeInput, route: string, policy: string): string | undefined {
  const asked = askedText(input);
  if (asked === undefined) return undefined;
  const { caller, tenant, protocol, inbound, body } = input;
  const owner = [inbound, tenant ?? null, caller.tool, caller.workspace ?? null];
  return digest(JSON.stringify([formatVersion, policy, route, owner, protocol, body.kind, canonicalJson(body.raw?.protocolHeaders ?? {})]), asked);
}

/** The key of an answer: the request's, with what answers it: endpoint, provider, address, protocol and the upstream's name of the model. */
export function keyAt(request: string, input: ExchangeInput, { endpoint: name, model, upstreamModel }: PlannedTarget, table: Pick<RouteTable, 'target'>): string | undefined {
  const resolved = table.target(name, model);
  if (resolved === undefined) return undefined;
  const endpoint = chooseProtocol(resolved.protocols, { tools: input.requirements.tools, ...spokenBy(input) });
  return digest(request, JSON.stringify([name, endpoint.provider.id, endpoint.baseUrl, endpoint.protocol, model, upstreamModel]));
}

function askedText({ body }: ExchangeInput): string | undefined {
  if (body.raw !== undefined) {
    const parsed = parseExact(body.raw.bytes.toString('utf8'));
    return isObject(parsed) ? canonicalJson(parsed, notAsked) : undefined;
  }
  return canonicalJson(body.kind === 'conversation' ? body.decoded() : body.request, notAsked);
}

function digest(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${String(part.length)}:`).update(part);
  return hash.digest('base64url');
}
