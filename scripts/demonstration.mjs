/** The pieces of the keyless demonstration: sandbox providers and a headless server, each a process of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './ensureInstalled.mjs';

const startLimitMs = 15_000;
const serverBundle = path.join(root, 'dist', 'server.js');

/** Child processes and files of a demonstration, ended and removed together. */
export class Stage {
  #children = [];
  #folder = mkdtempSync(path.join(tmpdir(), 'waybill-demo-'));

  get folder() {
    return this.#folder;
  }

  /**
   * Starts `node dist/server.js ARGS…` and waits for its first line of output, which must be JSON.
   * @throws Error with what the process said when it ends or says nothing within 15 s
   */
  async start(...args) {
    const child = spawn(process.execPath, [serverBundle, ...args], { cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.push(child);
    let output = '';
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text) => { complaints = (complaints + text).slice(-4000); });
    const line = await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`"server.js ${args[0]}" ${why}.\n${output}${complaints}`));
      const timer = setTimeout(() => fail(`said nothing within ${startLimitMs / 1000} s`), startLimitMs);
      child.once('error', (error) => fail(`cannot be started: ${error.message}`));
      child.once('exit', (code) => fail(`ended with code ${code} before it was ready`));
      child.stdout.setEncoding('utf8').on('data', (text) => {
        if (output.includes('\n')) return;
        output += text;
        if (!output.includes('\n')) return;
        clearTimeout(timer);
        resolve(output.slice(0, output.indexOf('\n')));
      });
    });
    return JSON.parse(line);
  }

  /** Two sandbox providers, and a configuration file with both as endpoints and the route `auto`. */
  async startSandbox() {
    const configFile = path.join(this.#folder, 'waybill.yaml');
    const { providers } = await this.start('sandbox', '--json', '--config', configFile);
    return { providers, configFile };
  }

  /** A headless server on this configuration: `{ url, tokenFile }`. */
  startServer(configFile, port) {
    return this.start('serve', '--config', configFile, '--port', String(port), '--data', path.join(this.#folder, 'data'), '--json');
  }

  async end() {
    await Promise.all(this.#children.map((child) => new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', resolve);
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 3000).unref();
    })));
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Sets the behaviour of a sandbox provider. @throws Error when the provider refuses it */
export async function scriptSandbox(provider, behaviour) {
  const response = await fetch(`${provider.controlUrl}/behaviour`, { method: 'POST', body: JSON.stringify(behaviour) });
  if (!response.ok) throw new Error(`${provider.name} did not take the behaviour: ${await response.text()}`);
}

/** Resolves on Ctrl-C, on a request to terminate, and when the terminal is closed. */
export function untilInterrupted() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve);
  });
}
