import { Guard } from '../../base/guarded.ts';
import type { Config } from '../../config/config.ts';
import type { PeerNote } from '../../ledger/peerNotes.ts';
import type { HealthEvent } from '../../ledger/ports.ts';
import type { TickedPart } from '../ticker.ts';
import { loadReplicas } from './loadReplicas.ts';
import type { NewsFigures } from './news/newsDesk.ts';
import type { ReplicasPart } from './replicasPart.ts';
import type { ReplicaSources } from './sources.ts';

/**
 * What this server tells replicas on other machines, and hears from them. Where the configuration names no store that they share, it is
 * this object alone: no observer is added and nothing is loaded.
 */
export class Replicas implements TickedPart {
  readonly name = 'The exchange with other replicas';
  readonly #sources: ReplicaSources;
  readonly #guard: Guard;
  #part: ReplicasPart | undefined;
  #loading: Promise<void> | undefined;
  #isWanted = false;

  constructor(sources: ReplicaSources) {
    this.#sources = sources;
    this.#guard = new Guard('The exchange with other replicas', sources.log);
  }

  /** What was told and heard; undefined where no store is shared. */
  get figures(): NewsFigures | undefined {
    return this.#part?.figures;
  }

  /** Takes a configuration over. What it needs is loaded in the background. */
  configure({ state }: Config): void {
    this.#isWanted = state?.redis !== undefined;
    if (this.#isWanted) this.#loading ??= this.#load().catch((error: unknown) => { this.#guard.failed(error); });
    else if (this.#part !== undefined) this.#end();
  }

  /** A key, a limit or a refused part was found out about here. */
  note(note: PeerNote): void {
    this.#part?.note(note);
  }

  /** A probe ended here. */
  probe(event: HealthEvent): void {
    this.#part?.probe(event);
  }

  /** A person decided something about an endpoint. */
  decided(): void {
    this.#part?.decided();
  }

  tick(): void {
    this.#part?.tick();
  }

  /** Tells what is left. */
  async close(): Promise<void> {
    this.#isWanted = false;
    await this.#part?.close();
  }

  #end(): void {
    const part = this.#part;
    this.#part = undefined;
    this.#loading = undefined;
    this.#guard.start(() => part?.close());
  }

  async #load(): Promise<void> {
    const { startReplicas } = await loadReplicas();
    if (this.#isWanted) this.#part = startReplicas(this.#sources);
    else this.#loading = undefined;
  }
}
