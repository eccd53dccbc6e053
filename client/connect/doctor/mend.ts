import { t } from '@vscode/l10n';
import type { Mend, Patient } from '../../../server/api/toolDoctor.ts';
import { ConfigFileError } from '../configFile.ts';
import type { ConnectedModel, Connection } from '../tool.ts';
import { ToolConnector } from '../toolConnector.ts';

/**
 * Does what a finding asks for. @param token the tool's own; only a connection that is written again holds it
 * @returns the files that were written @throws ConfigFileError
 */
export async function mend(toolId: string, how: Mend, patient: Patient, token: string): Promise<string[]> {
  const connector = new ToolConnector(patient.where, patient.storageFolder);
  if (how === 'refresh') return connector.refresh(toolId, name => modelNamed(patient, name), patient.roles?.[toolId]);
  const wanted = await connectionAgain(connector, toolId, patient);
  const shown = await connector.previewConnect(toolId, wanted);
  await connector.connect(toolId, { ...wanted, token }, shown);
  return shown.map(({ file }) => file);
}

/** The connection of a tool as it would be made now. @throws ConfigFileError */
export async function connectionAgain(connector: ToolConnector, toolId: string, patient: Patient): Promise<Omit<Connection, 'token'>> {
  const record = (await connector.connections()).find(one => one.tool === toolId);
  const { url } = patient.endpoint;
  if (record === undefined || url === undefined) throw new ConfigFileError(toolId, t('cannot be connected again from here: run "Waybill: Connect a Tool…".'));
  const { model } = record;
  const roles = { ...record.roles, ...patient.roles?.[toolId] };
  return {
    url, model: modelNamed(patient, model), at: Date.now(),
    ...(Object.keys(roles).length === 0 ? {} : { roles: Object.fromEntries(Object.entries(roles).flatMap(([role, name]) => (name === undefined ? [] : [[role, modelNamed(patient, name)]]))) }),
  };
}

/** What is known of a name; nothing for one that is not offered. */
export function modelNamed({ offered }: Pick<Patient, 'offered'>, name: string): ConnectedModel {
  return offered.find(one => one.requestedModel === name) ?? { requestedModel: name };
}
