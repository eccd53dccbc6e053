import { Emitter, type Subscription } from '../base/emitter.ts';
import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import type {
  AttemptAnswering, AttemptCommitted, AttemptEnded, AttemptStarted, ExchangeEnded, ExchangeObserver, ExchangePlanned, ExchangePriced, ExchangeStarted,
} from './events.ts';

/**
 * Publishes the events of exchanges to all observers. Who publishes asks `hasListeners` before it makes the value, so that an
 * event without listeners costs nothing.
 */
export class ExchangePublisher {
  readonly started: Emitter<ExchangeStarted>;
  readonly planned: Emitter<ExchangePlanned>;
  readonly attemptStarted: Emitter<AttemptStarted>;
  readonly answering: Emitter<AttemptAnswering>;
  readonly committed: Emitter<AttemptCommitted>;
  readonly attemptEnded: Emitter<AttemptEnded>;
  readonly ended: Emitter<ExchangeEnded>;
  readonly priced: Emitter<ExchangePriced>;
  readonly #log: Pick<Log, 'error'>;

  constructor(log: Pick<Log, 'error'>) {
    const emitter = <Event>(): Emitter<Event> => new Emitter('An observer of exchanges', log);
    this.#log = log;
    this.started = emitter();
    this.planned = emitter();
    this.attemptStarted = emitter();
    this.answering = emitter();
    this.committed = emitter();
    this.attemptEnded = emitter();
    this.ended = emitter();
    this.priced = emitter();
  }

  /** Adds an observer behind those that are there. One guard owns what all its methods throw. Disposing twice is safe. */
  subscribe(observer: ExchangeObserver): Subscription {
    const guard = new Guard(observer.name, this.#log);
    const subscriptions: Subscription[] = [];
    const add = <Event>(emitter: Emitter<Event>, listen: ((event: Event) => void) | undefined): void => {
      if (listen !== undefined) subscriptions.push(emitter.subscribe(event => listen.call(observer, event), guard));
    };
    add(this.started, observer.onStarted);
    add(this.planned, observer.onPlanned);
    add(this.attemptStarted, observer.onAttemptStarted);
    add(this.answering, observer.onAnswering);
    add(this.committed, observer.onCommitted);
    add(this.attemptEnded, observer.onAttemptEnded);
    add(this.ended, observer.onEnded);
    add(this.priced, observer.onPriced);
    return { dispose: () => { for (const subscription of subscriptions) subscription.dispose(); } };
  }
}
