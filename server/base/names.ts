import { createHash } from 'node:crypto';
import type { Caller } from '../api/receipt.ts';

/** The longest name of a model or route that is accepted, in UTF-16 units; the longest in use have about 120. */
export const maxModelNameLength = 300;
/** The longest label that is kept: of a conversation, a tool, a workspace, a branch, a purpose, a key. In UTF-16 units. */
export const maxLabelLength = 100;
/** Names of endpoint and model together, with room to spare. */
const maxHeaderLength = 512;
const digestLength = 16;
/** The longest name that a sentence shows, in UTF-16 units. */
const longestShownName = 80;

/** Whether a text can be the name of a model or route: neither empty nor too long, without control characters or broken surrogates. */
export function fitsAsModelName(name: string): boolean {
  return name !== '' && name.length <= maxModelNameLength && !hasControls(name) && name.isWellFormed();
}

/** Why a request cannot be for a model of this name, as a sentence for the caller; undefined when it can. */
export function modelNameProblem(name: string): string | undefined {
  if (fitsAsModelName(name)) return undefined;
  if (name === '') return 'The request names no model: set "model" to a route, a model or endpoint/model.';
  return name.length > maxModelNameLength
    ? `The model name has ${name.length} characters and at most ${maxModelNameLength} are allowed: set "model" to a route, a model or endpoint/model.`
    : 'The model name holds control characters or broken text: set "model" to a route, a model or endpoint/model.';
}

/**
 * A label as it is kept by name in memory and in the ledger: one line of at most `maxLabelLength` characters. A longer
 * one keeps its beginning and ends in a digest of the whole, so that two that differ only later stay two.
 * @returns undefined for an empty label
 */
export function keptLabel(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const short = text.length <= maxLabelLength;
  if (short && !hasControls(text) && text.isWellFormed()) return text;
  const plain = (short ? text : text.slice(0, maxLabelLength - digestLength - 1)).replace(controls, ' ').toWellFormed();
  return short ? plain : `${plain}~${createHash('sha256').update(text).digest('hex').slice(0, digestLength)}`;
}

/** Who sends a request, with every label as it is kept. */
export function keptCaller(caller: Caller): Caller {
  const branch = keptLabel(caller.branch);
  const extension = keptLabel(caller.extension);
  const kept: Caller = {
    tool: keptLabel(caller.tool) ?? 'unknown',
    workspace: keptLabel(caller.workspace), conversation: keptLabel(caller.conversation), purpose: keptLabel(caller.purpose),
  };
  if (branch !== undefined) kept.branch = branch;
  if (extension !== undefined) kept.extension = extension;
  if (caller.token !== undefined) keepToken(kept, caller);
  return kept;
}

/** What a token says of its caller is kept as it is. */
function keepToken(kept: Caller, { token, user, team }: Caller): void {
  kept.token = token;
  if (user !== undefined) kept.user = user;
  if (team !== undefined) kept.team = team;
}

/** A name from outside as a sentence shows it: one line, bounded. */
export function shownName(name: string): string {
  const line = onOneLine(name);
  return line.length > longestShownName ? `${line.slice(0, longestShownName - 1)}…` : line;
}

/** A name from outside without what breaks lines or is not seen. */
export function onOneLine(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}]/gu, ' ').trim();
}

/** A text as the value of a header of our answers: printable ASCII, of bounded length; other characters become `?`. */
export function headerValue(text: string): string {
  return (text.length > maxHeaderLength ? text.slice(0, maxHeaderLength) : text).replace(/[^\x20-\x7e]/g, '?').trim();
}

const controls = /[\0-\x1f\x7f-\x9f\u2028\u2029]/g;

function hasControls(text: string): boolean {
  return text.search(controls) !== -1;
}

/** The name of a model in lower case, without its maker or another path before it. */
export function bareModelName(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1).toLowerCase();
}
