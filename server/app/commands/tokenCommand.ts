import { allowedText, budgetText, limitsText, stateText } from '../../api/access/accessText.ts';
import type { TokenAccess } from '../../api/access/tokenAccess.ts';
import { momentText } from '../../api/localization/times.ts';
import { logText } from '../../api/logText.ts';
import { systemClock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { createTokenStore } from '../../ledger/sqlite/access/tokenDatabase.ts';
import { accessOf, TokenBook, type MadeToken } from '../../router/tokens/tokenBook.ts';
import { failed, print } from './commandOutput.ts';
import { makeDataDir } from '../dataFolder.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import type { ExitCode, TokenCommand } from '../commandLine/command.ts';

/** Makes, lists, rotates or revokes tokens of a data folder, whether a server runs there or not. @returns the exit code: 0 where it was done */
export function runToken(command: TokenCommand): ExitCode {
  const dataDir = command.dataDir ?? defaultDataDir();
  makeDataDir(dataDir);
  const book = new TokenBook(createTokenStore({ dataDir, clock: systemClock, log: toStandardError }), systemClock);
  try {
    return carryOut(command, book);
  } finally {
    book.close();
  }
}

function carryOut(command: TokenCommand, book: TokenBook): ExitCode {
  switch (command.action) {
    case 'list': {
      const tokens = [...book.all()].map(accessOf);
      if (command.json) print(JSON.stringify(tokens));
      else for (const token of tokens) print(lineOf(token, systemClock.now()));
      if (!command.json && tokens.length === 0) print('There is no token: waybill token create --name NAME makes one.');
      return 0;
    }
    case 'create': return shown(book.create(command), command.json, made => `Made the token ${made.access.id} of ${made.access.name}. It is shown this once:`);
    case 'rotate': return shown(book.rotate(command.id, command.graceMs), command.json, ({ access }) => (
      `The token ${access.id} was replaced${access.previousUntil === undefined ? ', and the old one has ended' : `; the old one works until ${momentText(access.previousUntil)}`}. The new one is shown this once:`));
    case 'revoke': {
      const result = book.revoke(command.id);
      if ('refused' in result) return failed(result.refused);
      print(command.json ? JSON.stringify(result.access) : `The token ${result.access.id} was revoked: running servers refuse it within a second.`);
      return 0;
    }
  }
}

function shown(made: MadeToken | { readonly refused: string }, json: boolean, sentence: (made: MadeToken) => string): ExitCode {
  if ('refused' in made) return failed(made.refused);
  if (json) print(JSON.stringify({ token: made.token, ...made.access }));
  else {
    process.stderr.write(`${logText(sentence(made))}\n`);
    print(made.token);
  }
  return 0;
}

/** `ci-x4k2  ci, for mai of team shop: works; may use every route, and every model; $5.00 a day`. */
function lineOf(token: TokenAccess, now: number): string {
  const { id, name, user, team } = token;
  const whom = [...(user === undefined ? [] : [`for ${user}`]), ...(team === undefined ? [] : [`team ${team}`])].join(', ');
  const bounds = [budgetText(token), limitsText(token)].filter(text => text !== undefined);
  return `${id}  ${name}${whom === '' ? '' : ` (${whom})`}: ${stateText(token, now)}; may use ${allowedText(token)}${bounds.map(text => `; ${text}`).join('')}`;
}

const say = (message: string): void => { process.stderr.write(`${logText(message)}\n`); };
const toStandardError: Log = { debug: () => undefined, info: () => undefined, warn: say, error: say };
