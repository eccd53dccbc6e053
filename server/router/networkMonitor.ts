import { networkInterfaces } from 'node:os';
import type { NoticeParams } from '../api/messages.ts';
import type { NetworkAwareHealthRegistry } from '../health/healthReader.ts';
import type { NetworkTrouble } from '../health/network/networkState.ts';
import { troubleSentence } from '../health/wording.ts';

export interface NetworkMonitorOptions {
  healthRegistry: Pick<NetworkAwareHealthRegistry, 'reportInterfaces' | 'slept' | 'networkTrouble'>;
  /** Told once for each time of trouble that lasts. */
  notify(notice: NoticeParams): void;
  /** Absent: the operating system's. */
  interfaces?: (() => ReturnType<typeof networkInterfaces>) | undefined;
  /** Milliseconds of a clock that nobody sets; absent: the process's. */
  elapsedMs?: (() => number) | undefined;
}

/** No oftener than this are the interfaces asked for, whatever the ticks. */
const lookEveryMs = 1000;
/** A tick that comes later than this was kept from coming: the machine slept, or this process stood still. */
const asleepAfterMs = 10_000;
/** Trouble that passes sooner is not worth a word. */
const tellAfterMs = 5000;
/** A machine that just woke takes so long to find its network again. */
const wakingMs = 15_000;

/**
 * Watches the machine's own link from the house's tick: which network interfaces there are, and whether the machine was
 * asleep in between. What it sees goes to the board; a person is told once when trouble lasts.
 */
export class NetworkMonitor {
  readonly #options: NetworkMonitorOptions;
  readonly #interfaces: () => ReturnType<typeof networkInterfaces>;
  readonly #elapsedMs: () => number;
  #lastTick: { at: number; elapsedMs: number } | undefined;
  #lookedAt = -Infinity;
  #wokeAt = -Infinity;
  /** The trouble that was told of, by its beginning and kind. */
  #told: NetworkTrouble | undefined;

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
      this.#wokeAt = now;
    }
    if (Math.abs(now - this.#lookedAt) >= lookEveryMs) {
      this.#lookedAt = now;
      healthRegistry.reportInterfaces(this.#hasInterface(), now);
    }
    this.#tell(healthRegistry.networkTrouble(), now);
  }

  /** A system that does not tell its interfaces (a sandbox may forbid it) has one, as far as anybody knows. */
  #hasInterface(): boolean {
    try {
      return hasInterface(this.#interfaces());
    } catch {
      return true;
    }
  }

  #tell(trouble: NetworkTrouble | undefined, now: number): void {
    if (trouble === undefined) {
      this.#told = undefined;
      return;
    }
    if (this.#told?.kind === trouble.kind || now - trouble.since < tellAfterMs || now - this.#wokeAt < wakingMs) return;
    this.#told = trouble;
    this.#options.notify({ kind: trouble.kind, endpoint: '', message: troubleSentence(trouble.kind) });
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

/** Given to an interface that found nobody to give it a real address: RFC 3927 and RFC 4291, section 2.5.6. */
function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}
