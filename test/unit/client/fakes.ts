import { Emitter } from '../../../client/base/emitter.ts';
import type { SecretStore } from '../../../client/keys/keyStore.ts';
import type { Log, ServerConnection, ServerListener, Timers } from '../../../client/server/connection.ts';
import type { NotificationType, RequestType } from '../../../server/api/messageTypes.ts';
import type { Condition } from '../../../server/api/condition.ts';
import type { StatusSnapshot, EndpointStatus, OfferedModel } from '../../../server/api/status.ts';

/** The secret store of one machine, as all its windows see it. */
export class InMemorySecrets implements SecretStore {
  readonly values = new Map<string, string>();
  readonly #changed = new Emitter<{ readonly key: string }>();
  readonly onDidChange = this.#changed.event;
  /** Runs once, right after a write: another window that read before it writes over it. */
  afterNextStore: (() => void) | undefined;

  get(name: string): Promise<string | undefined> { return Promise.resolve(this.values.get(name)); }

  store(name: string, value: string): Promise<void> {
    this.values.set(name, value);
    const meanwhile = this.afterNextStore;
    this.afterNextStore = undefined;
    meanwhile?.();
    this.#changed.fire({ key: name });
    return Promise.resolve();
  }

  delete(name: string): Promise<void> {
    this.values.delete(name);
    this.#changed.fire({ key: name });
    return Promise.resolve();
  }

  keys(): Promise<string[]> { return Promise.resolve([...this.values.keys()]); }
  get listenerCount(): number { return this.#changed.listenerCount; }
}

/** Timers that the test fires. */
export class FakeTimers implements Timers {
  #now = 1_000_000;
  #timers: { at: number; run: () => void }[] = [];

  now(): number { return this.#now; }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return () => { this.#timers = this.#timers.filter(other => other !== timer); };
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(timer => timer.at <= this.#now);
    this.#timers = this.#timers.filter(timer => timer.at > this.#now);
    for (const timer of due) timer.run();
  }

  get pending(): number { return this.#timers.length; }
}

/** A log that keeps its lines. */
export class RecordingLog implements Log {
  readonly lines: string[] = [];
  debug(message: string): void { this.lines.push(message); }
  info(message: string): void { this.lines.push(message); }
  warn(message: string): void { this.lines.push(message); }
  error(message: string): void { this.lines.push(message); }
}

/** Lets everything that is already resolved run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

interface Pending { method: string; params: unknown; resolve: (value: unknown) => void; reject: (error: Error) => void }

/** One run of a server process that the test controls. Answers `configure` and `getStatus` by itself. */
export class FakeServerRun implements ServerConnection {
  readonly processId = 4711;
  readonly requests: { method: string; params: unknown }[] = [];
  readonly notifications: { method: string; params: unknown }[] = [];
  readonly listener: ServerListener;
  stopped = false;
  /** Methods left open until the test answers them. */
  readonly held = new Set<string>(['waybill/chat']);
  #pending: Pending[] = [];

  constructor(listener: ServerListener) {
    this.listener = listener;
  }

  sendNotification<Params>(type: NotificationType<Params>, params: Params): void {
    this.notifications.push({ method: type.method, params });
  }

  sendRequest<Params, Result>({ method }: RequestType<Params, Result>, params: Params): Promise<Result> {
    this.requests.push({ method, params });
    const promise = new Promise<unknown>((resolve, reject) => { this.#pending.push({ method, params, resolve, reject }); });
    if (!this.held.has(method)) this.answer(method, method === 'waybill/configure' ? { problems: [] } : method === 'waybill/getStatus' ? emptyStatus() : {});
    return promise as Promise<Result>;
  }

  answer(method: string, result: unknown): void {
    const pending = this.#pending.find(entry => entry.method === method);
    this.#pending = this.#pending.filter(entry => entry !== pending);
    pending?.resolve(result);
  }

  /** The process crashes: every open request fails as the language client makes it fail, then listeners of the end are called. */
  crash(): void {
    const pending = this.#pending.splice(0);
    for (const entry of pending) entry.reject(Object.assign(new Error('Pending response rejected since connection got disposed'), { code: -32097 }));
    this.listener.onClosed();
  }

  stop(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }
}

export function emptyStatus(changes: Partial<StatusSnapshot> = {}): StatusSnapshot {
  return {
    at: 0, endpoints: [], offered: [], nothingCanServe: false, todayMicroUsd: 0, todayEstimated: false, todayUnknown: 0,
    ledgerRevision: 0, http: { state: 'off' }, problems: [], ...changes,
  };
}

export function endpoint(name: string, changes: Partial<EndpointStatus> = {}): EndpointStatus {
  return {
    condition: conditionOf(changes), name, provider: 'openai', providerName: 'OpenAI', baseUrl: 'https://api.example.com/v1', protocol: 'openai-chat', enabled: true,
    state: 'healthy', breaker: 'closed', keys: [], models: [], todayMicroUsd: 0, todayEstimated: false, todayUnknown: 0, ...changes,
  };
}

/** The condition that goes with the plain fields a test sets. */
function conditionOf({ enabled, offline, breaker, state, retryAt }: Partial<EndpointStatus>): Condition {
  if (enabled === false) return { kind: 'disabled' };
  if (offline !== undefined) return { kind: offline };
  if (breaker === 'open') return { kind: 'down', until: retryAt };
  return { kind: breaker === 'half-open' ? 'recovering' : state ?? 'healthy' };
}

export function offered(id: string, changes: Partial<OfferedModel> = {}): OfferedModel {
  const [kind, requestedModel] = id.split(':', 2);
  return {
    id, requestedModel: requestedModel ?? id, kind: kind === 'route' ? 'route' : 'model', name: requestedModel ?? id, targets: [`openai/${requestedModel ?? id}`], state: 'healthy', condition: { kind: changes.state ?? 'healthy' },
    detail: '1 of 1 healthy', maxInputTokens: 100_000, maxOutputTokens: 8_000, imageInput: false, toolCalling: true, thinking: false, ...changes,
  };
}

/** A cancellation token that a test can pull. */
export function cancellation(): { token: { isCancellationRequested: boolean; onCancellationRequested: Emitter<unknown>['event'] }; cancel(): void } {
  const emitter = new Emitter<unknown>();
  const token = { isCancellationRequested: false, onCancellationRequested: emitter.event };
  return { token, cancel: () => { token.isCancellationRequested = true; emitter.fire(undefined); } };
}
