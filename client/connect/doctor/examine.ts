import { existsSync, readFileSync } from 'node:fs';
import type { Finding, Patient } from '../../../server/api/toolDoctor.ts';
import { ConfigTextError } from '../configFormat.ts';
import type { ConfigPath } from '../configFormat.ts';
import { valueAt } from '../configPath.ts';
import type { ConnectionRecord } from '../connectionRecords.ts';
import { formats } from '../formats.ts';
import { hashOf } from '../settingsEdit.ts';
import type { Surroundings, Tool } from '../tool.ts';
import { ToolConnector } from '../toolConnector.ts';
import { tools } from '../toolTable.ts';
import { modelNamed } from './mend.ts';
import { habits } from './overrides.ts';
import type { WinningVariable } from './overrides.ts';
import { writtenConnection } from './written.ts';
import type { WrittenConnection } from './written.ts';

type Report = (kind: Finding['kind'], severity: Finding['severity'], message: string, more?: Pick<Finding, 'mend' | 'file'>) => void;

/** Tools that were connected here, or whose own files lead to a local address; in the order of the picker. */
export async function patients(patient: Patient): Promise<string[]> {
  const known = new Set((await connectorOf(patient).connections()).map(({ tool }) => tool));
  return tools.filter(tool => known.has(tool.id) || leadsHere(tool, patient)).map(tool => tool.id);
}

/**
 * Checks the connection of one tool. Nothing is written, and the token is sent only to an address at which a Waybill has proved to be.
 * @returns errors first; a single note `well` where nothing is wrong
 */
export async function examine(toolId: string, patient: Patient): Promise<Finding[]> {
  const tool = tools.find(one => one.id === toolId);
  if (tool === undefined) return [{ tool: toolId, kind: 'not-connected', severity: 'error', message: `"${toolId}" is not a tool that can be connected; known are ${tools.map(one => one.id).join(', ')}.` }];
  const findings: Finding[] = [];
  const report: Report = (kind, severity, message, more = {}) => findings.push({ tool: toolId, kind, severity, message, ...more });
  const record = (await connectorOf(patient).connections()).find(one => one.tool === toolId);
  let written: WrittenConnection;
  try {
    written = writtenConnection(tool, surroundings(patient), modelNamed(patient, record?.model ?? ''), textOf);
  } catch (error) {
    if (!(error instanceof ConfigTextError)) throw error;
    return [{ tool: toolId, kind: 'file', severity: 'error', message: `A configuration of ${tool.name} ${error.message}: correct it, then check again.` }];
  }
  if (record === undefined && written.url === undefined) {
    report('not-connected', 'error', `${tool.name} is not connected: run "Waybill: Connect a Tool…", or give it the local endpoint by hand.`);
    return findings;
  }
  checkFiles(record, patient, report);
  await checkEndpoint(record, written, patient, report);
  checkRoutes(tool, record, patient, report);
  await checkWindow(tool, record, patient, report);
  checkVariables(tool, record, patient, report);
  checkWinningFiles(tool, patient, report);
  await checkVersion(tool, patient, report);
  if (findings.every(one => one.severity === 'note')) report('well', 'note', `${tool.name} reaches Waybill${written.url === undefined ? '' : ` at ${written.url}`} with its own settings.`);
  const rank = { error: 0, warning: 1, note: 2 };
  return findings.sort((left, right) => rank[left.severity] - rank[right.severity]);
}

/** What was written and is not there any more, or is something else. */
function checkFiles(record: ConnectionRecord | undefined, patient: Patient, report: Report): void {
  for (const { file, format, written } of record?.files ?? []) {
    const shown = short(file, patient);
    const text = textOf(file);
    if (text === undefined) {
      report('file', 'error', `${shown} is gone, and with it the connection: write it again.`, { mend: 'rewrite', file });
      continue;
    }
    const root = formats[format].parse(text);
    const changed = written.filter(({ path, mark, hash, frame }) => frame !== true && hashOf(valueAt(valueAt(root, path), mark)) !== hash);
    if (changed.length === 0) continue;
    const names = changed.map(({ path }) => nameOf(path));
    report('changed', 'warning', `${listed(names)} in ${shown} ${names.length === 1 ? 'is' : 'are'} no longer as Waybill wrote ${names.length === 1 ? 'it' : 'them'}: keep that if you meant it, else write the connection again.`, { mend: 'rewrite', file });
  }
}

async function checkEndpoint(record: ConnectionRecord | undefined, { file, url, token }: WrittenConnection, patient: Patient, report: Report): Promise<void> {
  const { url: answersAt, message } = patient.endpoint;
  const shown = short(file, patient);
  const mend = record === undefined ? {} : { mend: 'rewrite' as const };
  if (answersAt === undefined) {
    report('endpoint', 'error', `${message ?? 'No Waybill answers at the local endpoint.'} Open a window with Waybill or start "serve", then check again.`);
    return;
  }
  if (url === undefined) {
    if (record !== undefined && textOf(file) !== undefined) report('address', 'error', `${shown} names no address of Waybill any more: write the connection again.`, { ...mend, file });
    return;
  }
  if (!sameAddress(url, answersAt)) {
    report('address', 'error', `${shown} leads to ${url}, but Waybill answers at ${answersAt}: write the connection again.`, { ...mend, file });
    return;
  }
  if (token === undefined || token === '') report('token', 'error', `${shown} holds no token for Waybill: write the connection again.`, { ...mend, file });
  else if (!await patient.takesToken(token)) report('token', 'error', `Waybill does not take the token in ${shown}: it was revoked, or belongs to another data folder. Write the connection again.`, { ...mend, file });
}

function checkRoutes(tool: Tool, record: ConnectionRecord | undefined, patient: Patient, report: Report): void {
  if (record === undefined || patient.offered.length === 0) return;
  const missing = [...new Set([record.model, ...Object.values(record.roles ?? {})])].filter(name => !patient.offered.some(one => one.requestedModel === name || one.targets.includes(name)));
  if (missing.length > 0) report('route', 'warning', `${tool.name} asks for ${listed(missing.map(name => `"${name}"`))}, which ${missing.length === 1 ? 'is' : 'are'} no route or model of Waybill's now: add it, or connect ${tool.name} to another one.`);
}

async function checkWindow(tool: Tool, record: ConnectionRecord | undefined, patient: Patient, report: Report): Promise<void> {
  if (record === undefined) return;
  let stale: string[];
  try {
    stale = await connectorOf(patient).refresh(tool.id, name => modelNamed(patient, name), patient.roles?.[tool.id], false);
  } catch {
    return;
  }
  const [file] = stale;
  if (file !== undefined) report('window', 'warning', `${short(file, patient)} says of "${record.model}" what is no longer so (its window, what it can do, or the routes of single kinds of work): bring it up to date.`, { mend: 'refresh', file });
}

function checkVariables(tool: Tool, record: ConnectionRecord | undefined, patient: Patient, report: Report): void {
  const { environment } = patient.where;
  const { variables = [], variablesIn } = habits[tool.id] ?? {};
  const files = tool.files(surroundings(patient), { url: '', token: '', model: { requestedModel: record?.model ?? '' }, at: 0 });
  for (const variable of variables) {
    const value = environment[variable.name];
    if (isSet(value) && !isAsWritten(variable, value, files)) report('variable', 'warning', `${variable.name} is set in the environment and ${variable.does}: unset it where ${tool.name} is started.`);
    if (variablesIn === undefined) continue;
    for (const { file, format } of files) {
      const text = textOf(file);
      const inside = text === undefined ? undefined : valueAt(formats[format].parse(text), [...variablesIn, variable.name]);
      if (typeof inside === 'string' && isSet(inside)) report('variable', 'warning', `${variable.name} in ${short(file, patient)} ${variable.does}: take it out.`, { file });
    }
  }
  for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']) {
    if (!isSet(environment[name]) || sparesThisMachine(environment.NO_PROXY ?? environment.no_proxy)) continue;
    report('proxy', 'warning', `${name} is set and NO_PROXY does not name 127.0.0.1, so ${tool.name} may send its requests for Waybill to the proxy: add 127.0.0.1 to NO_PROXY.`);
    break;
  }
}

/** Settings files that a tool prefers to its own in the home folder. */
function checkWinningFiles(tool: Tool, patient: Patient, report: Report): void {
  const { files, inOwnFile = [] } = habits[tool.id] ?? { files: () => [] };
  const own = tool.files(surroundings(patient), { url: '', token: '', model: { requestedModel: '' }, at: 0 }).filter(({ format }) => format !== 'env');
  for (const { path, does } of inOwnFile) {
    const [first] = own;
    const text = first === undefined ? undefined : textOf(first.file);
    if (first !== undefined && text !== undefined && valueAt(formats[first.format].parse(text), path) !== undefined) report('override', 'warning', `${nameOf(path)} in ${short(first.file, patient)} ${does}: take it out, or set the provider there too.`, { file: first.file });
  }
  for (const { file, format, paths } of files(patient.where, patient.folders)) {
    const text = textOf(file);
    if (text === undefined) continue;
    const shown = short(file, patient);
    if (paths.length === 0) {
      report('override', 'warning', `${shown} is read in place of what was written for ${tool.name}: put its variables into the other file, or those of Waybill into this one.`, { file });
      continue;
    }
    let root: unknown;
    try {
      root = formats[format].parse(text);
    } catch {
      continue;
    }
    const names = paths.filter(path => valueAt(root, path) !== undefined).map(nameOf);
    if (names.length > 0) report('override', 'warning', `${listed(names)} in ${shown} ${names.length === 1 ? 'comes' : 'come'} before what was written for ${tool.name}: take ${names.length === 1 ? 'it' : 'them'} out there.`, { file });
  }
}

async function checkVersion(tool: Tool, patient: Patient, report: Report): Promise<void> {
  const { program, least } = habits[tool.id] ?? {};
  if (program === undefined) return;
  const said = await patient.versionOf(program);
  const version = /\b\d{1,6}\.\d{1,6}(?:\.\d{1,6})?/.exec(said ?? '')?.[0];
  if (version === undefined) report('version', 'note', `The version of ${tool.name} is not known: "${program}" is not on the PATH of this process.`);
  else if (least !== undefined && isOlder(version, least.version)) report('version', 'warning', `${tool.name} ${version} ${least.lacks}: update it to ${least.version} or newer.`);
  else report('version', 'note', `${tool.name} ${version} is installed.`);
}

function isAsWritten({ name, unless }: WinningVariable, value: string, files: ReturnType<Tool['files']>): boolean {
  if (unless !== 'as-written') return false;
  return files.some(({ file, format }) => {
    const text = textOf(file);
    return text !== undefined && format === 'env' && valueAt(formats.env.parse(text), [name]) === value;
  });
}

function leadsHere(tool: Tool, patient: Patient): boolean {
  try {
    const { url } = writtenConnection(tool, surroundings(patient), { requestedModel: '' }, textOf);
    return url !== undefined && patient.endpoint.url !== undefined && sameAddress(url, patient.endpoint.url);
  } catch {
    return false;
  }
}

function connectorOf({ where, storageFolder }: Patient): ToolConnector {
  return new ToolConnector(where, storageFolder);
}

function surroundings({ where }: Patient): Surroundings {
  return { ...where, exists: existsSync };
}

/** What cannot be read counts as not there: a tool could not read it either. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

function sparesThisMachine(noProxy: string | undefined): boolean {
  return (noProxy ?? '').split(/[,\s]+/).some(entry => entry === '*' || entry === '127.0.0.1' || entry === '127.0.0.0/8');
}

function sameAddress(one: string, other: string): boolean {
  const plain = (url: string): string => url.replace(/\/$/, '').replace('//localhost', '//127.0.0.1');
  return plain(one) === plain(other);
}

function isOlder(version: string, least: string): boolean {
  const [have, want] = [version, least].map(text => text.split('.').map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (have?.[index] ?? 0) - (want?.[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function nameOf(path: ConfigPath): string {
  const last = path.at(-1);
  return typeof last === 'string' ? (path.length > 1 && path[0] !== 'env' ? path.map(step => (typeof step === 'string' ? step : step.is)).join('.') : last) : last?.is ?? '';
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

function short(file: string, { where: { home } }: Patient): string {
  return file.startsWith(home) ? `~${file.slice(home.length)}` : file;
}
