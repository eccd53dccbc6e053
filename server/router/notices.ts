import type { FailureClass, RefusalScope } from '../api/failure.ts';
import type { NoticeParams } from '../api/messages.ts';
import type { FailureCode } from '../base/failureCodes.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import type { NoticeClaims } from './incidents/noticeClaims.ts';
import type { FaultInjector } from '../upstream/interceptors/faultInjector.ts';

export interface FailureNoticesOptions {
  drills: Pick<FaultInjector, 'isDrilled'>;
  healthRegistry: Pick<HealthRegistry, 'isOffline'>;
  /** Some window listens. */
  hasAudience(): boolean;
  claims: Pick<NoticeClaims, 'claim'>;
  notify(notice: NoticeParams): void;
}

/** A failure of an attempt or of a probe. */
export interface NoticedFailure {
  /** The endpoint's name. */
  readonly endpoint: string;
  readonly failureClass: FailureClass;
  /** What a refusal speaks of; absent: by its class. */
  readonly scope?: RefusalScope | undefined;
  /** The failure's stable code. */
  readonly code: FailureCode;
  /** One sentence for a person, without secrets. */
  readonly message: string;
  readonly helpUrl: string | undefined;
  /** What the key is known by, where the failure is about one. */
  readonly key?: string | undefined;
}

/** Decides which failures a person is notified of. */
export class FailureNotices {
  readonly #options: FailureNoticesOptions;

  constructor(options: FailureNoticesOptions) {
    this.#options = options;
  }

  failed({ endpoint, failureClass, scope, code, message, helpUrl, key }: NoticedFailure): void {
    const { drills } = this.#options;
    // Injected faults never raise notices.
    if (drills.isDrilled(endpoint)) return;
    const kind = this.#kindOf(endpoint, failureClass, scope, code);
    if (kind !== undefined) this.tell({ kind, endpoint, message, helpUrl }, key);
  }

  /** Shows a notice in one window, once for an incident. */
  tell(notice: NoticeParams, key?: string): void {
    const { claims, hasAudience, notify } = this.#options;
    if (hasAudience() && claims.claim(notice, key)) notify(notice);
  }

  #kindOf(endpoint: string, failureClass: FailureClass, scope: RefusalScope | undefined, code: FailureCode): NoticeParams['kind'] | undefined {
    // A new key is no help against a border.
    if (failureClass === 'auth') return scope === 'endpoint' || scope === 'model' ? undefined : 'key-rejected';
    if (failureClass === 'quota') return 'no-money';
    // While the machine is offline or behind a portal, a certificate is the portal's.
    return code === 'certificate' && !this.#options.healthRegistry.isOffline(endpoint) ? 'certificate' : undefined;
  }
}
