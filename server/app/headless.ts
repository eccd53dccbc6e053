import { Guard } from '../base/guarded.ts';
import { findProvider, providers } from '../catalog/providers.ts';
import type { AddressListener } from '../inbound/http/addresses/addressListener.ts';
import { watchConfigFile } from '../config/watchConfigFile.ts';
import { loadYamlConfig } from '../config/yamlFile.ts';
import type { LoadedConfig } from '../config/yamlConfig.ts';
import type { Command } from './commandLine/command.ts';
import { drainTimes } from './commandLine/drainOptions.ts';
import { placeToListen } from './commandLine/listenOptions.ts';
import type { CompiledParts } from './compiledParts.ts';
import { defaultDataDir } from './defaultDataDir.ts';
import { drain } from './drain.ts';
import { endWithinMs, expectEnd } from './endWatch.ts';
import { createRouterProcess, keepVersion, type RouterProcess } from './routerProcess.ts';
import { installLastDefence, quietWriter } from './lastDefence.ts';
import { ParentWatch } from './parentWatch.ts';
import { supportedProtocols } from '../protocols/registry.ts';

/** Serves the local endpoint with a YAML configuration until the parent process ends or a signal asks for the end. */
export async function runHeadless(command: Extract<Command, { command: 'serve' }>, instanceId: string, parts?: CompiledParts): Promise<void> {
  const { configFile, json } = command;
  let announced = false;
  let listener: AddressListener | undefined;
  const [writeOut, writeError] = [quietWriter(process.stdout), quietWriter(process.stderr)];
  const routerProcess = createRouterProcess({
    dataDir: command.dataDir ?? defaultDataDir(),
    instanceId, parts,
    writeLog: (level, line) => {
      if (level !== 'debug') writeError(`${level}: ${line}\n`);
    },
    portChanged: () => {
      const { status } = routerProcess.port;
      if (status.state === 'held-by-peer' || status.state === 'held-by-another-program' || status.state === 'failed') {
        writeError(`error: ${status.message ?? 'the port cannot be used'}\n`);
        if (!announced) end(1);
        return;
      }
      if (status.state !== 'listening' || announced) return;
      announced = true;
      const { url, tokenFile } = status;
      const served = listener?.url ?? url;
      writeOut(json ? `${JSON.stringify({ url: served, tokenFile, ...(listener === undefined ? {} : { localUrl: url }) })}\n` : `Waybill serves at ${served ?? ''}\nToken: ${tokenFile ?? ''}\n`);
    },
  });
  let times = drainTimes(command.drain, false);
  let ending = false;
  const end = (code: number): void => {
    if (ending) return;
    ending = true;
    expectEnd({ withinMs: endWithinMs, subject: 'The server' });
    listener?.close();
    void routerProcess.close().finally(() => process.exit(code));
  };
  installLastDefence({ process, log: () => routerProcess.log, end: () => end(1) });
  const stop = (): void => end(0);
  new ParentWatch(stop).lookWith(routerProcess.ticker);
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  // A service manager asks with SIGTERM; asked again, the server ends at once.
  const hurry = new AbortController();
  let draining = false;
  process.on('SIGTERM', () => {
    if (draining) return hurry.abort();
    draining = true;
    const { httpServer, log } = routerProcess;
    void drain({
      startDraining: () => { httpServer.startDraining(); },
      stopAccepting: () => {
        listener?.close();
        routerProcess.port.close();
      },
      closeIdle: () => httpServer.closeIdle(),
    }, times, hurry.signal).then(busy => {
      if (busy > 0) log.warn(`the server ends while ${busy === 1 ? '1 request runs' : `${String(busy)} requests run`}; --drain-timeout gives them more time.`);
      end(0);
    }, (error: unknown) => {
      log.error('draining failed', error);
      end(1);
    });
  });

  const refuse = async (code: 1 | 2, why?: string): Promise<never> => {
    if (why !== undefined) routerProcess.log.error(why);
    await routerProcess.close();
    return process.exit(code);
  };
  const loaded = await applyConfigFile(routerProcess, configFile, 'start');
  if (loaded === undefined) return refuse(1);
  if (loaded.listen === 'wrong') return refuse(1, `the server does not start before "listen" in ${configFile} is right.`);
  const place = placeToListen(command.listen, loaded.listen);
  if (typeof place === 'string') return refuse(2, place);
  const { port, address } = place;
  times = drainTimes(command.drain, place.forOthers);
  let listen = JSON.stringify(loaded.listen);
  const reload = new Guard('Reloading the configuration', routerProcess.log);
  watchConfigFile(configFile, reload.wrap(async () => {
    const again = await applyConfigFile(routerProcess, configFile, 'reload');
    if (again === undefined || again.listen === 'wrong' || JSON.stringify(again.listen) === listen) return;
    listen = JSON.stringify(again.listen);
    routerProcess.log.warn(`"listen" in ${configFile} was changed: it holds from the next start of the server on.`);
  }));
  // Requests that come at once find the store, where it answers.
  await routerProcess.state.ready();
  await routerProcess.sharedCounts.ready();
  if (address !== undefined) {
    try {
      const { listenAt } = await import('../inbound/http/addresses/addressListener.ts');
      listener = await listenAt(address, routerProcess.httpServer, routerProcess.log);
    } catch (error) {
      routerProcess.log.error((error as Error).message);
      return end(1);
    }
  }
  routerProcess.port.hold(address === undefined ? port : 0);
}

/**
 * @param when an empty file is valid at the start; later it is taken for one that is half written
 * @returns undefined when the file cannot be read at all; the configuration from before stays in use
 */
async function applyConfigFile(routerProcess: RouterProcess, configFile: string, when: 'start' | 'reload'): Promise<Pick<LoadedConfig, 'listen'> | undefined> {
  const { config, keys, problems, readable, empty, listen } = await loadYamlConfig(configFile, process.env, {
    catalog: { providers, findProvider }, supportedProtocols, before: routerProcess.router.rules.used,
  });
  if (!readable && !(empty === true && when === 'start')) {
    for (const { file, line, message } of problems) routerProcess.log.error(`${file ?? configFile}${line === undefined ? '' : `:${line}`}: ${message}${when === 'reload' ? ' The configuration from before stays.' : ''}`);
    return undefined;
  }
  routerProcess.router.configure(config, keys, problems);
  await keepVersion(routerProcess, configFile);
  return { listen };
}
