import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { processLives } from '../base/processIdentity.ts';
import { startSandboxProvider } from './sandboxProvider.ts';
import type { SandboxProvider } from './sandboxProvider.ts';
import { sandboxSettings } from './sandboxConfig.ts';
import type { SandboxAddress } from './sandboxConfig.ts';

const demonstrationLatency = { headersMs: 20, firstTokenMs: 60, betweenWordsMs: 25 };
const parentCheckMs = 1000;

/** The first stdout line of `sandbox --json`. */
export interface SandboxAnnouncement {
  providers: SandboxAddress[];
  /** The YAML file that was written, when one was asked for. */
  configFile?: string | undefined;
}

/**
 * `sandbox [--json] [--ports A,B] [--config FILE]`: starts the two providers of the demonstration, `sandbox-a`
 * (openai-chat) and `sandbox-b` (anthropic-messages), and prints where they are; `--config` also writes a configuration
 * for `serve` with both as endpoints and the route `auto`. Resolves when it is asked to stop or its parent is gone.
 * @param argv the arguments after `sandbox`
 * @throws Error for arguments it does not know, and when a port is taken
 */
export async function runSandbox(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { json: { type: 'boolean' }, ports: { type: 'string' }, config: { type: 'string' } } });
  const ports = readPorts(values.ports);
  const providers = await startBoth(ports);
  try {
    const addresses = providers.map(({ name, protocol, url, controlUrl }) => ({ name, protocol, url, controlUrl }));
    if (values.config !== undefined) await writeFile(values.config, stringify(sandboxSettings(addresses)));
    const announcement: SandboxAnnouncement = { providers: addresses, ...(values.config === undefined ? {} : { configFile: values.config }) };
    process.stdout.write(values.json === true ? `${JSON.stringify(announcement)}\n` : describe(announcement));
    await untilStopped();
  } finally {
    await Promise.all(providers.map((provider) => provider.close()));
  }
}

async function startBoth(ports: readonly number[]): Promise<SandboxProvider[]> {
  const first = await startSandboxProvider({ protocol: 'openai-chat', name: 'sandbox-a', port: ports[0], latency: demonstrationLatency });
  try {
    return [first, await startSandboxProvider({ protocol: 'anthropic-messages', name: 'sandbox-b', port: ports[1], latency: demonstrationLatency })];
  } catch (error) {
    await first.close();
    throw error;
  }
}

function readPorts(text: string | undefined): number[] {
  const ports = (text ?? '').split(',').filter((port) => port !== '').map(Number);
  if (ports.some((port) => !Number.isInteger(port) || port < 0 || port > 65_535) || ports.length > 2) {
    throw new Error('--ports wants one or two port numbers, such as 8101,8102.');
  }
  return ports;
}

function describe({ providers, configFile }: SandboxAnnouncement): string {
  const lines = providers.map(({ name, protocol, url, controlUrl }) => `${name}  ${protocol}  ${url}\n  control: ${controlUrl}`);
  return [...lines, ...(configFile === undefined ? [] : [`configuration: ${configFile}`]), 'Press Ctrl-C to stop.', ''].join('\n');
}

/** Resolves on Ctrl-C, on a request to terminate, and when the process that started this one is gone. */
function untilStopped(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const timer = setInterval(() => { if (process.ppid !== parent || !processLives(parent)) stop(); }, parentCheckMs);
    const stop = (): void => {
      clearInterval(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop).off('disconnect', stop);
      resolve();
    };
    process.on('SIGINT', stop).on('SIGTERM', stop).on('disconnect', stop);
  });
}
