import { existsSync, readFileSync } from 'node:fs';
import { said, told, type Said, type SaidValue } from '../../../server/api/localization/said.ts';
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

type Report = (kind: Finding['kind'], severity: Finding['severity'], text: Said, more?: Pick<Finding, 'mend' | 'file'>) => void;

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
  if (tool === undefined) return [{ tool: toolId, kind: 'not-connected', severity: 'error', ...told(said('"{0}" is not a tool that can be connected; known are {1}.', toolId, tools.map(one => one.id).join(', '))) }];
  const findings: Finding[] = [];
  const report: Report = (kind, severity, text, more = {}) => findings.push({ tool: toolId, kind, severity, ...told(text), ...more });
  const record = (await connectorOf(patient).connections()).find(one => one.tool === toolId);
  let written: WrittenConnection;
  try {
    written = writtenConnection(tool, surroundings(patient), modelNamed(patient, record?.model ?? ''), textOf);
  } catch (error) {
    if (!(error instanceof ConfigTextError)) throw error;
    return [{ tool: toolId, kind: 'file', severity: 'error', ...told(said('A configuration of {0} {1}: correct it, then check again.', tool.name, error.message)) }];
  }
  if (record === undefined && written.url === undefined) {
    report('not-connected', 'error', said('{0} is not connected: run "Waybill: Connect a Tool…", or give it the local endpoint by hand.', tool.name));
    return findings;
  }
  checkFiles(record, patient, report);
  await checkEndpoint(record, written, patient, report);
  checkRoutes(tool, record, patient, report);
  await checkWindow(tool, record, patient, report);
  checkVariables(tool, record, patient, report);
  checkWinningFiles(tool, patient, report);
  await checkVersion(tool, patient, report);
  if (findings.every(one => one.severity === 'note')) report('well', 'note', written.url === undefined ? said('{0} reaches Waybill with its own settings.', tool.name) : said('{0} reaches Waybill at {1} with its own settings.', tool.name, written.url));
  const rank = { error: 0, warning: 1, note: 2 };
  return findings.sort((left, right) => rank[left.severity] - rank[right.severity]);
}

/** What was written and is not there any more, or is something else. */
function checkFiles(record: ConnectionRecord | undefined, patient: Patient, report: Report): void {
  for (const { file, format, written } of record?.files ?? []) {
    const shown = short(file, patient);
    const text = textOf(file);
    if (text === undefined) {
      report('file', 'error', said('{0} is gone, and with it the connection: write it again.', shown), { mend: 'rewrite', file });
      continue;
    }
    const root = formats[format].parse(text);
    const changed = written.filter(({ path, mark, hash, frame }) => frame !== true && hashOf(valueAt(valueAt(root, path), mark)) !== hash);
    if (changed.length === 0) continue;
    const names = changed.map(({ path }) => nameOf(path));
    report('changed', 'warning', names.length === 1 ? said('{0} in {1} is no longer as Waybill wrote it: keep that if you meant it, else write the connection again.', listed(names), shown)
      : said('{0} in {1} are no longer as Waybill wrote them: keep that if you meant it, else write the connection again.', listed(names), shown), { mend: 'rewrite', file });
  }
}

async function checkEndpoint(record: ConnectionRecord | undefined, { file, url, token }: WrittenConnection, patient: Patient, report: Report): Promise<void> {
  const { url: answersAt, message } = patient.endpoint;
  const shown = short(file, patient);
  const mend = record === undefined ? {} : { mend: 'rewrite' as const };
  if (answersAt === undefined) {
    report('endpoint', 'error', said('{0} Open a window with Waybill or start "serve", then check again.', message ?? said('No Waybill answers at the local endpoint.')));
    return;
  }
  if (url === undefined) {
    if (record !== undefined && textOf(file) !== undefined) report('address', 'error', said('{0} names no address of Waybill any more: write the connection again.', shown), { ...mend, file });
    return;
  }
  if (!sameAddress(url, answersAt)) {
    report('address', 'error', said('{0} leads to {1}, but Waybill answers at {2}: write the connection again.', shown, url, answersAt), { ...mend, file });
    return;
  }
  if (token === undefined || token === '') report('token', 'error', said('{0} holds no token for Waybill: write the connection again.', shown), { ...mend, file });
  else if (!await patient.takesToken(token)) report('token', 'error', said('Waybill does not take the token in {0}: it was revoked, or belongs to another data folder. Write the connection again.', shown), { ...mend, file });
}

function checkRoutes(tool: Tool, record: ConnectionRecord | undefined, patient: Patient, report: Report): void {
  if (record === undefined || patient.offered.length === 0) return;
  const missing = [...new Set([record.model, ...Object.values(record.roles ?? {})])].filter(name => !patient.offered.some(one => one.requestedModel === name || one.targets.includes(name)));
  if (missing.length > 0) report('route', 'warning', missing.length === 1
    ? said('{0} asks for {1}, which is no route or model of Waybill\'s now: add it, or connect {0} to another one.', tool.name, listed(missing.map(name => `"${name}"`)))
    : said('{0} asks for {1}, which are no route or model of Waybill\'s now: add it, or connect {0} to another one.', tool.name, listed(missing.map(name => `"${name}"`))));
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
  if (file !== undefined) report('window', 'warning', said('{0} says of "{1}" what is no longer so (its window, what it can do, or the routes of single kinds of work): bring it up to date.', short(file, patient), record.model), { mend: 'refresh', file });
}

function checkVariables(tool: Tool, record: ConnectionRecord | undefined, patient: Patient, report: Report): void {
  const { environment } = patient.where;
  const { variables = [], variablesIn } = habits[tool.id] ?? {};
  const files = tool.files(surroundings(patient), { url: '', token: '', model: { requestedModel: record?.model ?? '' }, at: 0 });
  for (const variable of variables) {
    const value = environment[variable.name];
    if (isSet(value) && !isAsWritten(variable, value, files)) report('variable', 'warning', said('{0} is set in the environment and {1}: unset it where {2} is started.', variable.name, variable.does, tool.name));
    if (variablesIn === undefined) continue;
    for (const { file, format } of files) {
      const text = textOf(file);
      const inside = text === undefined ? undefined : valueAt(formats[format].parse(text), [...variablesIn, variable.name]);
      if (typeof inside === 'string' && isSet(inside)) report('variable', 'warning', said('{0} in {1} {2}: take it out.', variable.name, short(file, patient), variable.does), { file });
    }
  }
  for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']) {
    if (!isSet(environment[name]) || sparesThisMachine(environment.NO_PROXY ?? environment.no_proxy)) continue;
    report('proxy', 'warning', said('{0} is set and NO_PROXY does not name 127.0.0.1, so {1} may send its requests for Waybill to the proxy: add 127.0.0.1 to NO_PROXY.', name, tool.name));
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
    if (first !== undefined && text !== undefined && valueAt(formats[first.format].parse(text), path) !== undefined) report('override', 'warning', said('{0} in {1} {2}: take it out, or set the provider there too.', nameOf(path), short(first.file, patient), does), { file: first.file });
  }
  for (const { file, format, paths } of files(patient.where, patient.folders)) {
    const text = textOf(file);
    if (text === undefined) continue;
    const shown = short(file, patient);
    if (paths.length === 0) {
      report('override', 'warning', said('{0} is read in place of what was written for {1}: put its variables into the other file, or those of Waybill into this one.', shown, tool.name), { file });
      continue;
    }
    let root: unknown;
    try {
      root = formats[format].parse(text);
    } catch {
      continue;
    }
    const names = paths.filter(path => valueAt(root, path) !== undefined).map(nameOf);
    if (names.length > 0) report('override', 'warning', names.length === 1 ? said('{0} in {1} comes before what was written for {2}: take it out there.', listed(names), shown, tool.name)
      : said('{0} in {1} come before what was written for {2}: take them out there.', listed(names), shown, tool.name), { file });
  }
}

async function checkVersion(tool: Tool, patient: Patient, report: Report): Promise<void> {
  const { program, least } = habits[tool.id] ?? {};
  if (program === undefined) return;
  const output = await patient.versionOf(program);
  const version = /\b\d{1,6}\.\d{1,6}(?:\.\d{1,6})?/.exec(output ?? '')?.[0];
  if (version === undefined) report('version', 'note', said('The version of {0} is not known: "{1}" is not on the PATH of this process.', tool.name, program));
  else if (least !== undefined && isOlder(version, least.version)) report('version', 'warning', said('{0} {1} {2}: update it to {3} or newer.', tool.name, version, least.lacks, least.version));
  else report('version', 'note', said('{0} {1} is installed.', tool.name, version));
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

function listed(names: readonly string[]): SaidValue {
  return names.length < 2 ? names.join('') : said('{0} and {1}', names.slice(0, -1).join(', '), names.at(-1) ?? '');
}

function short(file: string, { where: { home } }: Patient): string {
  return file.startsWith(home) ? `~${file.slice(home.length)}` : file;
}
