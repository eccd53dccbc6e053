import { failureCodes, type FailureCode, type FailureFacts } from '../../base/failureCodes.ts';
import { isCoolingDown } from '../../base/cooldownSpan.ts';
import type { Outcome } from '../healthReader.ts';
import { observeInterfaces, observeLink, onlineLink, type LinkEvidence, type NetworkState, type NetworkTrouble } from './networkState.ts';

/** What the machine's own link is known to do: what is seen of it goes in, whose fault a failure was comes out. */
export interface NetworkTracker {
  /**
   * Takes note of what an outcome of a remote endpoint says about the link.
   * @param host the endpoint's host; two endpoints at one host are one witness
   * @returns the moment from which failures are the link's, when trouble has just begun
   */
  observe(outcome: Outcome, host: string): number | undefined;
  /** Takes note of whether there is any network interface besides loopback. Same result as `observe`. */
  reportInterfaces(present: boolean, at: number): number | undefined;
  /** The machine was asleep, or this process stood still, until `to`. */
  slept(to: number): void;
  trouble(): NetworkTrouble | undefined;
  /** Whether a failure is the doing of the machine (offline, behind a portal, just woken) and not the endpoint's. */
  isOwnFault(outcome: Outcome, local: boolean): boolean;
}

/** So long after the link or the machine came back, attempts from before may still fail for it. */
const aftermathMs = 15_000;

/** A tracker that takes the link to be up. */
export function createNetworkTracker(): NetworkTracker {
  let link: NetworkState = onlineLink;
  let lastPresentAt: number | undefined;
  let absentSince: number | undefined;
  let absenceProvesNothing = false;
  let wokeAt: number | undefined;
  let endedAt: number | undefined;

  function become(next: NetworkState, at: number): number | undefined {
    const before = link.state;
    link = next;
    if (next.state === 'online') {
      if (before !== 'online') endedAt = at;
      return undefined;
    }
    if (before !== 'online') return undefined;
    // Between two looks at the interfaces requests failed already.
    return next.state === 'offline' && next.cause === 'no-interface' ? Math.min(next.since, lastPresentAt ?? next.since) : next.since;
  }

  return {
    observe(outcome, host) {
      const evidence = evidenceOf(outcome);
      if (evidence === 'none') return undefined;
      // Something answers although there is no interface: the way out is none (a tunnel, a container's own network).
      if (evidence === 'answered' && absentSince !== undefined && outcome.foreign !== true && (outcome.startedAt ?? outcome.at) > absentSince) absenceProvesNothing = true;
      return become(observeLink(link, host, evidence, outcome.at), outcome.at);
    },
    reportInterfaces(present, at) {
      if (present) {
        lastPresentAt = at;
        absentSince = undefined;
        absenceProvesNothing = false;
        return become(observeInterfaces(link, true, at), at);
      }
      absentSince ??= at;
      // Where there never was an interface, in a container or a sandbox, its absence means nothing.
      return lastPresentAt === undefined || absenceProvesNothing ? undefined : become(observeInterfaces(link, false, at), at);
    },
    slept(to) {
      wokeAt = to;
      // What was inferred before the sleep is as old as the place the machine was at.
      if (link.state !== 'offline' || link.cause !== 'no-interface') link = onlineLink;
    },
    trouble: () => (link.state === 'online' ? undefined : { kind: link.state, since: link.since }),
    isOwnFault(outcome, local) {
      const { failureClass, at, startedAt } = outcome;
      if (failureClass === undefined || outcome.drill === true || outcome.elsewhere === true) return false;
      // A portal's own errors look like a provider's.
      if (link.state === 'portal' && !local && failureClass === 'server') return true;
      if (!mayBeLink(outcome)) return false;
      if (link.state !== 'online' && !local) return true;
      if (wokeAt !== undefined && isCoolingDown({ since: wokeAt, until: wokeAt + aftermathMs }, at)) {
        if (startedAt !== undefined && startedAt <= wokeAt) return true;
        // The network of a machine that just woke is not up yet.
        if (!local && failureClass === 'network' && (outcome.networkKind === 'dns' || outcome.networkKind === 'unreachable')) return true;
      }
      return !local && endedAt !== undefined && startedAt !== undefined && startedAt <= endedAt && isCoolingDown({ since: endedAt, until: endedAt + aftermathMs }, at);
    },
  };
}

/** Whether the machine's own link, lost, blocked or cut by sleep, makes such failures too. */
export function mayBeLink(outcome: Pick<Outcome, 'failureClass' | 'code' | 'status' | 'networkKind'>): boolean {
  const { failureClass, code } = outcome;
  return failureClass === 'network' || failureClass === 'timeout' || isNotTheApi(outcome) || outcome.status === signInStatus || factsOf(code).connectionEnded === true;
}

/** RFC 6585, section 6: "Network Authentication Required". */
const signInStatus = 511;

/** Something that is not the provider's API answered: a page, a redirect, or a certificate that is not the provider's. */
export function isNotTheApi({ code, networkKind }: Pick<Outcome, 'code' | 'networkKind'>): boolean {
  return networkKind === 'tls' || factsOf(code).notTheApi === true;
}

const noFacts: FailureFacts = {};

/** What the code of an outcome says; nothing where the outcome has none. */
export function factsOf(code: FailureCode | undefined): FailureFacts {
  return code === undefined ? noFacts : failureCodes[code];
}

function evidenceOf(outcome: Outcome): LinkEvidence {
  const { failureClass, networkKind, code } = outcome;
  if (outcome.drill === true || outcome.elsewhere === true) return 'none';
  // What a peer observed may be minutes old, and comes without its cause: only an answer counts.
  if (outcome.foreign === true) return failureClass === undefined ? 'answered' : 'none';
  if (outcome.status === signInStatus) return 'sign-in';
  if (isNotTheApi(outcome)) return 'page';
  switch (failureClass) {
    case 'network':
      return networkKind === 'refused' || networkKind === 'reset' ? 'none' : 'unreachable';
    case 'timeout': case 'local': case 'cancelled': return 'none';
    // A connection that was closed without a byte is no answer.
    case 'server': return code === 'connection-reset' ? 'none' : 'bytes';
    // A key that could not be used was never sent.
    case 'auth': return factsOf(code).beforeLogin === true ? 'none' : 'answered';
    default: return 'answered';
  }
}
