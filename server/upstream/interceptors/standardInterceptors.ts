import type { Interceptor } from '../call.ts';
import { awsSigning } from './aws.ts';
import type { AwsLogins } from './awsCredentials.ts';
import { faultInjection } from './faultInjection.ts';
import type { FaultInjector } from './faultInjector.ts';
import { entraAuth, type EntraTokens } from './entraAuth.ts';
import { googleAuth } from './googleAuth.ts';
import type { GoogleTokens } from './googleTokens.ts';
import { hops } from './hops.ts';

/** What the interceptors of every server work with. */
export interface InterceptorParts {
  faultInjector: FaultInjector; googleTokens: GoogleTokens; awsLogins: AwsLogins; entraTokens: EntraTokens;
  /** What this server is known by to other Waybills. */
  instance: string;
}

/**
 * The layers around every upstream call, the outermost first. Fault injection is outermost: an injected refusal comes
 * before the logins at Google, AWS and Microsoft, so that a drill sends nothing at all.
 */
export function standardInterceptors({ faultInjector, googleTokens, awsLogins, entraTokens, instance }: InterceptorParts): readonly Interceptor[] {
  return [
    faultInjection(faultInjector),
    googleAuth(googleTokens),
    awsSigning(awsLogins),
    entraAuth(entraTokens),
    hops(instance),
  ];
}
