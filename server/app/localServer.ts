import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { askIdentity } from '../inbound/http/auth/identity.ts';
import { notedPorts } from '../inbound/http/servedPorts.ts';
import { defaultPort } from './commandLine/command.ts';
import { tokenIn } from '../inbound/http/auth/tokenFile.ts';

const identityMs = 2000;
const answerMs = 5000;
const largestAnswer = 16 * 1024 * 1024;

/** The running server of a data folder, or why there is none in one sentence. */
export type LocalServer = { url: string; token: string } | { message: string };

/**
 * The address is used, and a token sent there, only once a Waybill has proved to have the data folder's token.
 * @param port undefined: the ports that servers of the folder have noted, then the usual one
 */
export async function localServerAt(dataDir: string, port: number | undefined): Promise<LocalServer> {
  const token = sharedToken(dataDir);
  if (token === undefined) return { message: `No Waybill has served from ${dataDir}; --data names another data folder.` };
  const ports = port === undefined ? [...new Set([...notedPorts(dataDir), defaultPort])] : [port];
  const owners = await Promise.all(ports.map(one => askIdentity(one, token, identityMs)));
  const found = ports[owners.indexOf('ours')];
  if (found !== undefined) return { url: `http://127.0.0.1:${String(found)}`, token };
  if (port === undefined) return { message: `No Waybill of ${dataDir} answers at ${ports.length === 1 ? `port ${String(defaultPort)}` : `any of the ports ${ports.join(', ')}`}: start one (waybill serve --config FILE, or VS Code), or give --port where it listens, or --data for another data folder.` };
  if (owners[0] === 'foreign') return { message: `Port ${String(port)} is held by another program, or by a Waybill of another data folder; without --port the server of the data folder is looked for.` };
  return { message: `Nothing answers at port ${String(port)}; without --port the server of the data folder is looked for.` };
}

function sharedToken(dataDir: string): string | undefined {
  try {
    return tokenIn(readFileSync(path.join(dataDir, 'token'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Never rejects; status 0: no answer. @param body JSON to post; absent: a GET @param waitMs how long nothing may come @param signal gives the question up */
export function askLocal(url: string, token: string, body?: unknown, waitMs = answerMs, signal?: AbortSignal): Promise<{ status: number; text: string }> {
  return new Promise(resolve => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const none = (): void => { resolve({ status: 0, text: '' }); };
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers = { authorization: `Bearer ${token}`, ...(sent === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }) };
    const asked = request(url, { method: sent === undefined ? 'GET' : 'POST', headers, agent: false, timeout: waitMs, ...(signal === undefined ? {} : { signal }) }, response => {
      response.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > largestAnswer) asked.destroy();
        else pieces.push(piece);
      });
      response.on('end', () => { resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }); });
      response.on('close', none);
    });
    asked.on('timeout', () => { asked.destroy(); });
    asked.on('error', none);
    asked.end(sent);
  });
}
