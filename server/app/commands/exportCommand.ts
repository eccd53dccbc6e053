import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text as textOf } from 'node:stream/consumers';
import { requestLines } from '../../router/spend/requestLines.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import { localServerAt } from '../localServer.ts';
import { fromLedger } from '../recordedHistory.ts';
import { warningsLog } from '../warningsLog.ts';
import { queryOf, whyRefused } from './askServer.ts';
import { failed } from './commandOutput.ts';

/** Nothing may come from a server for so long. */
const silenceMs = 120_000;

type ExportCommand = Extract<Command, { command: 'export' }>;

/** Writes the requests of a range, from the running server or, while none runs, from the ledger. @returns the exit code: 0 where all were written */
export async function runExport(command: ExportCommand): Promise<ExitCode> {
  const { port, dataDir = defaultDataDir(), file } = command;
  const server = await localServerAt(dataDir, port);
  try {
    if (!('message' in server)) {
      const answer = await lines(server.url, server.token, command);
      if ('refused' in answer) return failed(answer.refused);
      await write(answer.lines, file);
      return 0;
    }
    const { range, filter, format } = command;
    const found = port === undefined && await fromLedger(dataDir, warningsLog(), async history => {
      await write(Readable.from(requestLines(history, { ...filter, fromMs: range.from, toMs: range.to }, format, new AbortController().signal)), file);
      return true;
    });
    return found === true ? 0 : failed(server.message, 3);
  } catch (error) {
    return failed(`The export is not whole: ${(error instanceof Error ? error.message : String(error)).replace(/\.$/, '')}.`);
  }
}

/** The lines as the server sends them. */
function lines(url: string, token: string, command: ExportCommand): Promise<{ lines: Readable } | { refused: string }> {
  return new Promise((resolve, reject) => {
    const asked = get(`${url}/waybill/export?${queryOf(command, { format: command.format })}`, { agent: false, timeout: silenceMs, headers: { authorization: `Bearer ${token}` } }, response => {
      if (response.statusCode === 200) resolve({ lines: response });
      else void textOf(response).then(text => { resolve({ refused: whyRefused(text) }); }, reject);
    });
    asked.on('timeout', () => { asked.destroy(new Error('the server fell silent')); });
    asked.on('error', reject);
  });
}

/** A file takes its name when it is whole. */
async function write(from: Readable, file: string | undefined): Promise<void> {
  if (file === undefined) return pipeline(from, process.stdout, { end: false });
  const partial = `${file}.${randomUUID().slice(0, 8)}.part`;
  try {
    await pipeline(from, createWriteStream(partial, { flags: 'wx', mode: 0o600 }));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
