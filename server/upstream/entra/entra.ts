import type { EntraLogin } from '../../keys/authHeader.ts';
import type { AskLogin } from '../machineLogin.ts';

/** An access token of Microsoft Entra ID. */
export interface EntraToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What is loaded when Azure is asked with a login for the first time. */
export interface EntraParts {
  /** @throws MachineLoginError when there is no token, with what to do about it */
  findToken(login: EntraLogin, ask: AskLogin): Promise<EntraToken>;
}
