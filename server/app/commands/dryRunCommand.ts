import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dryRunText, type DryRunReport } from '../../api/rules/dryRun.ts';
import { systemClock } from '../../base/clock.ts';
import { findProvider, providers } from '../../catalog/providers.ts';
import { emptyConfig, type Config } from '../../config/config.ts';
import type { LoadedConfig } from '../../config/yamlConfig.ts';
import { loadYamlConfig } from '../../config/yamlFile.ts';
import { openLedger } from '../../ledger/sqlite/sqliteLedger.ts';
import { ModelCache } from '../../models/modelCache.ts';
import { ModelDirectory } from '../../models/modelDirectory.ts';
import { createPricer } from '../../pricing/pricing.ts';
import { supportedProtocols } from '../../protocols/registry.ts';
import { dryRun } from '../../router/rules/rulesDesk.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import { replayParts, routeTableOf } from '../rulesParts.ts';
import { warningsLog } from '../warningsLog.ts';
import { failed, print, printJson } from './commandOutput.ts';

/**
 * Applies a configuration file to the recorded requests of a data folder. It needs no running server, sends nothing, and opens
 * the ledger beside servers that run.
 * @returns the exit code: 0 where it could be tried, also with problems that leave a part out
 */
export async function runDryRun(command: Extract<Command, { command: 'dry-run' }>): Promise<ExitCode> {
  const { configFile, against, days, json } = command;
  const dataDir = command.dataDir ?? defaultDataDir();
  if (!existsSync(join(dataDir, 'ledger.db'))) return failed(`No Waybill has recorded anything in ${dataDir}; --data names another data folder.`);
  const before = against === undefined ? undefined : await load(against);
  if (before !== undefined && !before.readable) return failed(sentencesOf(before, against ?? ''));
  let draft = await load(configFile);
  if (!draft.readable) return failed(sentencesOf(draft, configFile));
  // A file of rules alone is for the endpoints in force.
  if (draft.config.endpoints.size === 0 && before !== undefined) draft = await load(configFile, before.config.endpoints);
  const report = await reportOf(dataDir, draft, before?.config, days);
  if (json) printJson(report);
  else print(dryRunText(report));
  return 0;
}

async function reportOf(dataDir: string, draft: LoadedConfig, before: Config | undefined, days: number): Promise<DryRunReport> {
  const log = warningsLog();
  const pricer = createPricer({ log });
  const directory = new ModelDirectory(emptyConfig, { cache: new ModelCache(join(dataDir, 'models.json')), log });
  directory.configure(draft.config);
  const ledger = openLedger({ dataDir, clock: systemClock, log, instanceId: randomUUID() });
  try {
    return await dryRun(
      { history: ledger, pricer, tableOf: config => routeTableOf(config, directory, pricer, () => systemClock.now()), replayParts },
      { draft: draft.config, before, days, now: systemClock.now(), problems: draft.problems },
    );
  } finally {
    ledger.shutdown();
  }
}

function load(file: string, knownEndpoints?: Config['endpoints']): Promise<LoadedConfig> {
  return loadYamlConfig(file, process.env, { catalog: { providers, findProvider }, supportedProtocols, knownEndpoints });
}

function sentencesOf({ problems }: LoadedConfig, configFile: string): string {
  return problems.map(({ file, line, message }) => `${file ?? configFile}${line === undefined ? '' : `:${line}`}: ${message}`).join('\n');
}
