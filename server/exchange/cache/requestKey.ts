import { createHash } from 'node:crypto';
import type { PlannedTarget } from '../../api/receipt.ts';
import type { Clock } from '../../base/clock.ts';
import { parseExact } from '../../base/exactJson.ts';
import { isObject } from '../../base/json.ts';
import { chooseProtocol } from '../../routing/chooseProtocol.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import type { AttemptOrigin } from '../attempt/origin.ts';
import { spokenBy } from '../attempt/outgoing.ts';
import { repairKey } from '../../protocols/repairs/repair.ts';
import { formOf, type LearntRepairs } from '../learntRepairs.ts';
import type { ExchangeInput } from '../request.ts';
import { canonicalJson } from './canonicalJson.ts';

/** Changes with the form of keys. */
const formatVersion = 3;
/** The target's own name stands beside the body, and how the answer travels is no part of the question. */
const notAsked: ReadonlySet<string> = new Set(['model', 'stream', 'stream_options']);

/**
 * The key of a request: a digest of all fields of its body and of its protocol's headers, the token that it came with (by its digest, because two data
 * folders may have tokens of one name), tool and workspace, the route, and the version of the policy. With a target it names an answer; see `keyAt`.
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

interface KeyServices { routeTable(): Pick<RouteTable, 'target'>; readonly repairs: Pick<LearntRepairs, 'of'>; readonly clock: Pick<Clock, 'now'> }

/** The key of the answer that a target would give now; undefined where the configuration has no such target. See `keySent`. */
export function keyAt(request: string, input: ExchangeInput, target: PlannedTarget, { routeTable, repairs, clock }: KeyServices): string | undefined {
  const resolved = routeTable().target(target.endpoint, target.model);
  if (resolved === undefined) return undefined;
  const endpoint = chooseProtocol(resolved.protocols, { tools: input.requirements.tools, ...spokenBy(input) });
  return keySent(request, { target, resolved, endpoint, repairs: repairs.of(endpoint, formOf(input.body.kind, endpoint.protocol), target.upstreamModel, clock.now()) });
}

/**
 * The key of an answer: the request's, with what answers it (endpoint, provider, address, protocol and the upstream's name of the model), and with what else
 * changes the body that is sent: what the target has refused earlier, and the limits of the model that are known. Rules of the provider, names of
 * tools that it does not take among them, follow from the body and the provider.
 */
export function keySent(request: string, { target: { endpoint: name, model, upstreamModel }, resolved: { facts }, endpoint, repairs = [] }: Pick<AttemptOrigin, 'target' | 'resolved' | 'endpoint' | 'repairs'>): string {
  return digest(request, JSON.stringify([name, endpoint.provider.id, endpoint.baseUrl, endpoint.protocol, model, upstreamModel, facts.maxOutputTokens ?? null, facts.contextWindow ?? null, repairs.map(repairKey)]));
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
