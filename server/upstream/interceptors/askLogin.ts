import type { CallPlace, Dispatch } from '../call.ts';
import { fetchText } from '../fetchText.ts';
import type { AskLogin } from '../machineLogin.ts';

const loginTimeoutMs = 10_000;
const machineTimeoutMs = 1_500;

/** Asks logins over the network of an endpoint, on connections of their own. @param login such as "the AWS login" */
export function askLogin(next: Dispatch, place: CallPlace, login: string): AskLogin {
  return ({ method, url, headers, body, ofMachine }) => {
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const at: CallPlace = { ...place, name: `${login} of ${place.name}`, ...(ofMachine === true ? { proxy: 'none' } : {}) };
    return fetchText({ dispatch: next }, at, {
      method, url, body: bytes === undefined ? undefined : [bytes],
      headers: { accept: 'application/json, text/xml', 'accept-encoding': 'identity', 'user-agent': 'waybill', ...(bytes === undefined ? {} : { 'content-length': String(bytes.length) }), ...headers },
    }, ofMachine === true ? machineTimeoutMs : loginTimeoutMs);
  };
}
