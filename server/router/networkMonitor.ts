import { networkInterfaces } from 'node:os';
import type { NoticeParams } from '../api/messages.ts';
import type { NetworkAwareHealthRegistry } from '../health/healthReader.ts';
import type { NetworkTrouble } from '../health/network/networkState.ts';
import { told } from '../api/localization/said.ts';
import { saidOfTrouble } from '../health/wording.ts';

export interface NetworkMonitorOptions {
  healthRegistry: Pick<NetworkAwareHealthRegistry, 'reportInterfaces' | 'slept' | 'networkTrouble'>;
  /** Called once for each time of trouble that lasts. */
  notify(notice: NoticeParams): void;
  /** The machine slept, and what failed meanwhile was taken back. */
  changed?: (() => void) | undefined;
  /** Absent: the operating system's. */
  interfaces?: (() => ReturnType<typeof networkInterfaces>) | undefined;
  /** Milliseconds of a monotonic clock; absent: the process's. */
  elapsedMs?: (() => number) | undefined;
}

/** The interfaces are read at most this often, whatever the ticks. */
const lookEveryMs = 1000;
/** A tick that is later than this means that the machine slept, or this process stood still. */
const asleepAfterMs = 10_000;
/** Trouble that passes sooner raises no notice. */
const noticeAfterMs = 5000;
/** A machine that just woke takes this long to find its network again. */
const wakingMs = 15_000;

/**
 * Watches the machine's own link at every tick: which network interfaces there are, and whether the machine was asleep in
 * between. It reports to the health registry, and raises one notice when trouble lasts.
 */
export class NetworkMonitor {
  readonly #options: NetworkMonitorOptions;
  readonly #interfaces: () => ReturnType<typeof networkInterfaces>;
  readonly #elapsedMs: () => number;
  #lastTick: { at: number; elapsedMs: number } | undefined;
  #lookedAt = -Infinity;
  #wokeAt = -Infinity;
  /** The trouble of which a notice was raised. */
  #noticed: NetworkTrouble | undefined;

  constructor(options: NetworkMonitorOptions) {
    this.#options = options;
    this.#interfaces = options.interfaces ?? networkInterfaces;
    this.#elapsedMs = options.elapsedMs ?? (() => performance.now());
  }

  /** To be called about once a second. @param now milliseconds since the epoch */
  tick(now: number): void {
    const { healthRegistry } = this.#options;
    const elapsedMs = this.#elapsedMs();
    const last = this.#lastTick;
    this.#lastTick = { at: now, elapsedMs };
    // Some systems stop one of the two clocks while they sleep.
    const sinceMs = last === undefined ? 0 : Math.max(now - last.at, elapsedMs - last.elapsedMs);
    if (sinceMs > asleepAfterMs) {
      healthRegistry.slept(now - sinceMs, now);
      this.#options.changed?.();
      this.#wokeAt = now;
    }
    if (Math.abs(now - this.#lookedAt) >= lookEveryMs) {
      this.#lookedAt = now;
      healthRegistry.reportInterfaces(this.#hasInterface(), now);
    }
    this.#raiseNotice(healthRegistry.networkTrouble(), now);
  }

  /** A system that does not list its interfaces (a sandbox may forbid it) counts as having one. */
  #hasInterface(): boolean {
    try {
      return hasInterface(this.#interfaces());
    } catch {
      return true;
    }
  }

  #raiseNotice(trouble: NetworkTrouble | undefined, now: number): void {
    if (trouble === undefined) {
      this.#noticed = undefined;
      return;
    }
    if (this.#noticed?.kind === trouble.kind || now - trouble.since < noticeAfterMs || now - this.#wokeAt < wakingMs) return;
    this.#noticed = trouble;
    this.#options.notify({ kind: trouble.kind, endpoint: '', ...told(saidOfTrouble(trouble.kind)) });
  }
}

/** Names of interfaces that lead to containers and virtual machines of this machine, and nowhere else. */
const inner = /^(?:docker\d|br-[0-9a-f]{12}$|veth|virbr|vmnet|vboxnet|lxcbr|lxdbr|podman|cni|vEthernet \((?:WSL|Default Switch))/;

/** Whether some interface may lead out: not loopback, not one to containers only, and with more than a link-local address. */
export function hasInterface(interfaces: ReturnType<typeof networkInterfaces>): boolean {
  for (const [name, addresses] of Object.entries(interfaces)) {
    if (inner.test(name)) continue;
    for (const { internal, address } of addresses ?? []) if (!internal && !isLinkLocal(address)) return true;
  }
  return false;
}

/** Addresses that an interface gives itself where the network assigns none: RFC 3927 and RFC 4291, section 2.5.6. */
function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}
