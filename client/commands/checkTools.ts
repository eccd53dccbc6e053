import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { shownMessage } from '../../server/api/localization/said.ts';
import type { Finding, Patient } from '../../server/api/toolDoctor.ts';
import { NextStep, UserError, messageOf } from '../base/errors.ts';
import { inform, warn } from '../base/toasts.ts';
import { connectorAt } from '../connect/connectorAt.ts';
import { explained, filesIn } from './connectTool.ts';
import type { ToolPlace } from './connectTool.ts';
import { rolesInSettings } from './connectionUpkeep.ts';
import type { CommandServices } from './services.ts';

const answerMs = 5000;
const versionMs = 10_000;
const mendTitles = { refresh: t('Bring It Up to Date'), rewrite: t('Write It Again…') } as const;

/** "Check Connected Tools": a sentence for each thing that keeps a tool from Waybill, with a button where it can be mended. */
export async function checkTools(services: CommandServices, place: ToolPlace): Promise<void> {
  await explained(async () => {
    const { toolDoctor } = await import('../connect/doctor/doctor.ts');
    const patient = await patientOf(services, place);
    const tools = await toolDoctor.patients(patient);
    if (tools.length === 0) throw new NextStep(t('No tool is connected.'), { title: t('Connect a Tool…'), command: 'waybill.connectTool' });
    const findings = (await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: t('Checking connected tools') },
      () => Promise.all(tools.map(tool => toolDoctor.examine(tool, patient))))).flat();
    for (const { tool, severity, message } of findings) services.log.info(`Check of ${tool}: ${severity === 'note' ? '' : `${severity}: `}${message}`);
    const wrong = findings.filter(one => one.severity !== 'note');
    if (wrong.length === 0) void inform(findings.filter(one => one.kind === 'well').map(shownMessage).join(' '));
    // Each stays until it is answered, and none waits for another.
    for (const finding of wrong) void offer(finding, services, place);
  });
}

async function offer(finding: Finding, services: CommandServices, place: ToolPlace): Promise<void> {
  const open = t('Open File');
  const { mend, file } = finding;
  const pick = await warn(shownMessage(finding), ...(mend === undefined ? [] : [mendTitles[mend]]), ...(file === undefined ? [] : [open]));
  try {
    if (pick === open && file !== undefined) await vscode.window.showTextDocument(vscode.Uri.file(file));
    else if (mend !== undefined && pick === mendTitles[mend]) await explained(() => mended(finding, services, place));
  } catch (error) {
    void warn(messageOf(error));
  }
}

async function mended({ tool, mend }: Finding, services: CommandServices, place: ToolPlace): Promise<void> {
  const patient = await patientOf(services, place);
  const { connectionAgain, toolDoctor } = await import('../connect/doctor/doctor.ts');
  if (mend === 'refresh') {
    const files = await toolDoctor.mend(tool, mend, patient, '');
    void inform(t('{0} says what the route can do now; the tool knows it from its next start.', filesIn(files.map(file => ({ file })))));
    return;
  }
  const connector = await connectorAt(place);
  const wanted = await connectionAgain(connector, tool, patient);
  const shown = await connector.previewConnect(tool, wanted);
  if (!await place.changes.agreed(`${tool} → Waybill`, shown, { verb: t('Write'), what: t('Write {0}', filesIn(shown)) })) return;
  const { token, url } = await services.server.connectTool(tool);
  if (url !== wanted.url) throw new UserError(t('The local endpoint has moved meanwhile; nothing was written. Run the command again.'));
  await connector.connect(tool, { ...wanted, token }, shown);
  void inform(t("{0} leads to Waybill again, from the tool's next start.", filesIn(shown)));
}

async function patientOf(services: CommandServices, { storageFolder }: ToolPlace): Promise<Patient> {
  // Whoever holds the port proves to be a Waybill of this data folder before a token is sent there.
  const { url, message } = await services.server.retryEndpoint();
  return {
    where: { home: homedir(), environment: process.env }, storageFolder,
    folders: (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath),
    endpoint: { url, message }, offered: services.server.status?.offered ?? [], roles: rolesInSettings(services),
    takesToken: token => takesToken(url ?? '', token), versionOf,
  };
}

function takesToken(url: string, token: string): Promise<boolean> {
  return new Promise(resolve => {
    const asked = get(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` }, agent: false, timeout: answerMs }, response => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('timeout', () => { asked.destroy(); });
    asked.on('error', () => { resolve(false); });
  });
}

function versionOf(program: string): Promise<string | undefined> {
  return new Promise(resolve => {
    // Programs of npm are scripts on Windows, which only a shell runs; the names are the product's own.
    execFile(program, ['--version'], { timeout: versionMs, shell: process.platform === 'win32', windowsHide: true }, (error, output) => { resolve(error === null ? output.trim() : undefined); });
  });
}
