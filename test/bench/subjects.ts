import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { protocolNames, type ProtocolName } from '../../server/api/conversation.ts';
import { startUnderTest, type ProcessUnderTest } from './childProcess.ts';
import type { Target } from './connection.ts';
import { hurriedModel, upstreamModel } from './traffic.ts';

/** `earlier`: another build of Waybill, given with `--against`. */
export type ProxyName = 'pass-through' | 'waybill' | 'earlier';
/** What a profile can be taken of: builds whose modules have readable names. */
export type ProfiledProxy = Exclude<ProxyName, 'earlier'>;
export type SubjectName = 'direct' | ProxyName;

export const proxyNames: readonly ProxyName[] = ['pass-through', 'waybill', 'earlier'];
export const subjectNames: readonly SubjectName[] = ['direct', ...proxyNames];

const token = 'waybill-bench-token-of-no-value';
const routeName = 'bench';
/** For each protocol, the endpoint that speaks it. */
const endpointOf: Readonly<Record<ProtocolName, string>> = { 'openai-chat': 'upstream', 'openai-responses': 'responses', 'anthropic-messages': 'messages', 'gemini': 'gemini' };

/** A route whose target speaks a protocol. @param hurried the target streams as fast as it is taken */
export function routeTo(protocol: ProtocolName, hurried = false): string {
  return `${routeName}-${endpointOf[protocol]}${hurried ? '-hurried' : ''}`;
}

/** A running proxy and how to reach it. */
export interface RunningProxy extends ProcessUnderTest {
  target: Target;
}

/** Waybill with a configuration of its own. */
export interface ConfiguredServer extends ProcessUnderTest {
  dataDir: string;
  /** How one of its routes is reached. */
  route(name: string): Target;
}

/** Starts proxies in front of one upstream. */
export class ProxyStarter {
  #folder: string;
  #upstreamPort: number;
  #passThroughFile: string;
  #serverFile: string;
  #earlierFile: string | undefined;
  #configFile: string;
  /** The core on which processes are started from now on; undefined: any. */
  core: number | undefined;

  /**
   * @param folder a temporary folder for configuration and data
   * @param earlierFile the server of an earlier build, to be measured beside this one
   */
  constructor(folder: string, upstreamPort: number, passThroughFile: string, serverFile: string, earlierFile: string | undefined) {
    this.#earlierFile = earlierFile;
    this.#folder = folder;
    this.#upstreamPort = upstreamPort;
    this.#passThroughFile = passThroughFile;
    this.#serverFile = serverFile;
    this.#configFile = path.join(folder, 'waybill.yaml');
    const models = `models: { ${[upstreamModel, hurriedModel].map(model => `${model}: { upstream: ${model}, prices: { inputPerMTok: 0.42, outputPerMTok: 0.84 } }`).join(', ')} }`;
    const endpoint = (name: string, provider: string, path: string): string => `  ${name}: { provider: ${provider}, baseUrl: "http://127.0.0.1:${upstreamPort}${path}", keys: ["bench-key"], ${models}`;
    writeFileSync(this.#configFile, [
      'endpoints:',
      `${endpoint('upstream', 'openai-compatible', '/v1')} }`,
      `${endpoint('messages', 'anthropic-compatible', '')} }`,
      `${endpoint('responses', 'openai', '/v1')}, protocol: openai-responses }`,
      `${endpoint('gemini', 'gemini', '/v1beta')} }`,
      'routes:',
      `  ${routeName}: { strategy: priority, targets: [upstream/${upstreamModel}] }`,
      ...protocolNames.flatMap(protocol => [
        `  ${routeTo(protocol)}: { strategy: priority, targets: [${endpointOf[protocol]}/${upstreamModel}] }`,
        `  ${routeTo(protocol, true)}: { strategy: priority, targets: [${endpointOf[protocol]}/${hurriedModel}] }`,
      ]),
      '',
    ].join('\n'));
  }

  /** The proxies that are compared. */
  get proxies(): readonly ProxyName[] {
    return this.#earlierFile === undefined ? proxyNames.filter(name => name !== 'earlier') : proxyNames;
  }

  get direct(): Target {
    return { name: 'direct', port: this.#upstreamPort, token, model: upstreamModel };
  }

  /**
   * @param dataFolder which data folder Waybill uses; made when it is new, with the token that the client shows
   */
  async start(name: ProxyName, dataFolder: string, node: { nodeArgs?: readonly string[]; reports?: boolean } = {}): Promise<RunningProxy> {
    const running = await startUnderTest({ args: this.#arguments(name, dataFolder), core: this.core, ...node });
    return { ...running, target: { name, port: running.port, token, model: name === 'pass-through' ? upstreamModel : routeName } };
  }

  /**
   * Starts Waybill with a configuration of its own.
   * @param dataFolder a name nobody else uses at the time; the configuration is written beside it
   * @param environment variables that the configuration names
   */
  async startWaybill(configuration: readonly string[], dataFolder: string, environment?: Readonly<Record<string, string>>): Promise<ConfiguredServer> {
    const configFile = path.join(this.#folder, `${dataFolder}.yaml`);
    writeFileSync(configFile, [...configuration, ''].join('\n'));
    const running = await startUnderTest({ args: this.#serverArguments(dataFolder, configFile), core: this.core, environment });
    return {
      ...running, dataDir: path.join(this.#folder, dataFolder),
      route: model => ({ name: `waybill (${model})`, port: running.port, token, model }),
    };
  }

  /** The server that is measured. */
  get serverFile(): string {
    return this.#serverFile;
  }

  /** The server of an earlier build; absent: none is measured. */
  get earlierFile(): string | undefined {
    return this.#earlierFile;
  }

  /** A data folder of this name for a server that is started elsewhere. */
  newFolder(name: string): string {
    const folder = path.join(this.#folder, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  #arguments(name: ProxyName, dataFolder: string): string[] {
    if (name === 'pass-through') return [this.#passThroughFile, `http://127.0.0.1:${this.#upstreamPort}`];
    if (name === 'waybill') return this.#serverArguments(dataFolder, this.#configFile);
    if (this.#earlierFile === undefined) throw new Error('There is no earlier build: --against names it.');
    // A data folder of its own: the ledger of one build need not be readable by the other.
    return this.#serverArguments(`${dataFolder}-earlier`, this.#configFile, this.#earlierFile);
  }

  #serverArguments(dataFolder: string, configFile: string, serverFile = this.#serverFile): string[] {
    const dataDir = this.newFolder(dataFolder);
    writeFileSync(path.join(dataDir, 'token'), `${token}\n`, { mode: 0o600 });
    return [serverFile, 'serve', '--config', configFile, '--port', '0', '--data', dataDir, '--json'];
  }
}
