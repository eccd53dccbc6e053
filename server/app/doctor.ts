import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { logText } from '../api/logText.ts';
import type { StatusSnapshot } from '../api/status.ts';
import type { Finding, Patient, ToolDoctor } from '../api/toolDoctor.ts';
import { parseJson } from '../base/json.ts';
import { ToolTokens } from '../inbound/http/auth/toolTokens.ts';
import type { Command } from './commandLine/command.ts';
import { defaultDataDir } from './defaultDataDir.ts';
import { askLocal, localServerAt } from './localServer.ts';

const versionMs = 10_000;

/**
 * Checks the connections of tools, and mends them with `--fix`. @returns the exit code: 0 where nothing is wrong, 1 where something is
 */
export async function runDoctor(command: Extract<Command, { command: 'doctor' }>, doctor: ToolDoctor): Promise<number> {
  const dataDir = command.dataDir ?? defaultDataDir();
  const patient = await patientAt(dataDir, command.port);
  const tools = command.tools.length > 0 ? command.tools : await doctor.patients(patient);
  const findings: Finding[] = [];
  for (const tool of tools) findings.push(...await treated(tool, patient, doctor, command.fix, dataDir));
  if (command.json) process.stdout.write(`${JSON.stringify(findings)}\n`);
  else if (tools.length === 0) process.stdout.write(`No tool is connected from ${dataDir}${patient.endpoint.url === undefined ? `, and ${lowerFirst(patient.endpoint.message ?? 'no Waybill answers.')}` : '.'}\n`);
  else process.stdout.write(findings.map(({ tool, severity, message }) => `${tool}: ${severity === 'note' ? '' : `${severity}: `}${logText(message)}\n`).join(''));
  return findings.some(one => one.severity !== 'note') ? 1 : 0;
}

async function treated(tool: string, patient: Patient, doctor: ToolDoctor, fix: boolean, dataDir: string): Promise<Finding[]> {
  const findings = await doctor.examine(tool, patient);
  const mends = new Set(findings.flatMap(one => one.mend ?? []));
  if (!fix || mends.size === 0 || patient.endpoint.url === undefined) return findings;
  // Writing the connection again says what the route can do, too.
  const how = mends.has('rewrite') ? 'rewrite' : 'refresh';
  try {
    const files = await doctor.mend(tool, how, patient, how === 'rewrite' ? new ToolTokens(dataDir).connect(tool) : '');
    return [...await doctor.examine(tool, patient), { tool, kind: 'well', severity: 'note', message: `${files.join(' and ')} ${files.length === 1 ? 'was' : 'were'} brought up to date.` }];
  } catch (error) {
    return [...findings, { tool, kind: 'file', severity: 'error', message: error instanceof Error ? error.message : String(error) }];
  }
}

async function patientAt(dataDir: string, port: number | undefined): Promise<Patient> {
  const server = await localServerAt(dataDir, port);
  const url = 'message' in server ? '' : server.url;
  const status = 'message' in server ? undefined : parseJson((await askLocal(`${url}/waybill/status`, server.token)).text);
  return {
    where: { home: homedir(), environment: process.env }, storageFolder: dataDir, folders: [process.cwd()],
    endpoint: 'message' in server ? { message: server.message } : { url },
    offered: (status as Pick<StatusSnapshot, 'offered'> | undefined)?.offered ?? [],
    takesToken: async tool => url !== '' && (await askLocal(`${url}/v1/models`, tool)).status === 200,
    versionOf,
  };
}

function versionOf(program: string): Promise<string | undefined> {
  return new Promise(resolve => {
    // Programs of npm are scripts on Windows, which only a shell runs; the names are the product's own.
    execFile(program, ['--version'], { timeout: versionMs, shell: process.platform === 'win32', windowsHide: true }, (error, output) => { resolve(error === null ? output.trim() : undefined); });
  });
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
