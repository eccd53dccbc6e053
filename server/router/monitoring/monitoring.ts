import { BlockList } from 'node:net';
import type { HttpStatus } from '../../api/status.ts';
import { Guard } from '../../base/guarded.ts';
import { isLoopbackHost, plainAddress } from '../../config/baseUrl.ts';
import type { Config } from '../../config/config.ts';
import { addRange, isInRanges } from '../../config/fields/addressRanges.ts';
import { loadMonitoring } from './loadMonitoring.ts';
import type { TickedPart } from '../ticker.ts';
import type { MonitoringPart } from './monitoringPart.ts';
import type { ExchangeInput, ResponseSink } from '../../exchange/request.ts';
import type { MonitoringSources } from './sources.ts';

/**
 * What is measured for others. Where the configuration switches nothing on, it is this object alone: no observer is added and
 * nothing is loaded.
 */
export class Monitoring implements TickedPart {
  readonly name = 'The watch of alerts and of the event loop';
  readonly #sources: MonitoringSources;
  readonly #guard: Guard;
  #part: MonitoringPart | undefined;
  #loading: Promise<void> | undefined;
  #config: Config | undefined;
  /** Who reads metrics without a token at addresses that other machines reach. */
  #readers: BlockList | undefined;
  #isClosed = false;

  constructor(sources: MonitoringSources) {
    this.#sources = sources;
    this.#guard = new Guard('Monitoring', sources.log);
  }

  /** Takes a configuration over. What is switched on is loaded in the background. */
  configure(config: Config): void {
    this.#config = config;
    const { monitoring } = config;
    this.#readers = listOf(monitoring?.metrics?.readers);
    if (monitoring === undefined && this.#part === undefined) return;
    this.#sources.receivers.configure(config.network);
    if (this.#part !== undefined) this.#part.configure(config);
    else this.#loading ??= this.#load().catch((error: unknown) => { this.#guard.failed(error); });
  }

  tick(): void {
    this.#part?.tick();
  }

  /** `GET /metrics` is served. */
  get servesMetrics(): boolean {
    return this.#config?.monitoring?.metrics !== undefined;
  }

  /**
   * Whether a caller at the loopback port may read metrics without a token.
   * @param address of the other side of the connection @param isForwarded it passed a proxy, so that the address is not the caller's
   */
  mayRead(address: string | undefined, isForwarded: boolean): boolean {
    if (this.#config?.monitoring?.metrics?.requireToken !== false || address === undefined || isForwarded) return false;
    return isLoopbackHost(plainAddress(address));
  }

  /** Whether a caller at another address may. @param caller undefined: whose request it is, is not known for sure */
  mayReadElsewhere(caller: string | undefined): boolean {
    return caller !== undefined && this.#readers !== undefined && isInRanges(this.#readers, caller);
  }

  /** The metrics in the text format of Prometheus, with its media type; undefined where they are off. */
  async metrics(http: HttpStatus): Promise<{ text: string; type: string } | undefined> {
    if (!this.servesMetrics) return undefined;
    await this.#loading;
    return this.#part?.metrics(http);
  }

  /** The caller's sink, or one that hears the answer for its trace. */
  heard(input: ExchangeInput, sink: ResponseSink): ResponseSink {
    return this.#part === undefined ? sink : this.#part.heard(input, sink);
  }

  /** Ends what runs: what waits to be sent is sent within a bound. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#part?.close();
    await this.#sources.receivers.shutdown();
  }

  async #load(): Promise<void> {
    const { startMonitoring } = await loadMonitoring();
    if (this.#isClosed || this.#config === undefined) return;
    this.#part = startMonitoring(this.#sources, this.#config);
  }
}

function listOf(ranges: readonly string[] | undefined): BlockList | undefined {
  if (ranges === undefined || ranges.length === 0) return undefined;
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return list;
}
