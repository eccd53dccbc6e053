import { homedir } from 'node:os';
import { t } from '@vscode/l10n';
import { NextStep, UserError } from '../base/errors.ts';
import { connectorAt } from '../connect/connectorAt.ts';
import type { ShownChange, ToolState } from '../connect/toolConnector.ts';
import { portActions } from '../status/localEndpoint.ts';
import { inform } from '../base/toasts.ts';
import { askModel, askRoles } from './input/toolModels.ts';
import { askChoice, valueOf } from './input/quickInput.ts';
import { localEndpoint } from './localEndpointCommands.ts';
import { addProviderAction } from './input/pickers.ts';
import type { CommandServices } from './services.ts';
import type { ShownChanges } from './shownChanges.ts';

/** Where configurations are written, and what is remembered of them. */
export interface ToolPlace {
  storageFolder: string;
  /** The window shows another machine, and this extension runs on the user's own. */
  awayFromWindow: boolean;
  changes: ShownChanges;
}

/** "Connect a Tool…": the tool, what it is to use, the change as it will be, and only then the file. */
export async function connectTool(services: CommandServices, place: ToolPlace): Promise<void> {
  const { offered = [] } = services.server.status ?? {};
  if (offered.length === 0) throw new NextStep(t('There is nothing a tool could use yet.'), addProviderAction);
  const url = await fixedAddress(services);
  await explained(async () => {
    const connector = await connectorAt(place);
    const tool = await askTool(await connector.states(), place);
    if (tool === undefined) return;
    const model = await askModel(tool, offered);
    if (model === undefined) return;
    const roles = await askRoles(tool, model, offered, { ...services.configuration.settings.tools[tool.id] });
    if (roles === undefined) return;
    const wanted = { url, model, at: Date.now(), ...(Object.keys(roles).length === 0 ? {} : { roles }) };
    const shown = await connector.previewConnect(tool.id, wanted);
    if (!await place.changes.agreed(`${tool.name} → Waybill`, shown, { verb: t('Write'), what: t('Write {0}', filesIn(shown)) })) return;
    const had = await services.server.connectedTools();
    // The token comes with the address at which a Waybill was found just now.
    const { token, url: now } = await services.server.connectTool(tool.id);
    try {
      if (now !== url) throw new UserError(t('The local endpoint has moved meanwhile; nothing was written. Run the command again.'));
      await connector.connect(tool.id, { ...wanted, token }, shown);
    } catch (error) {
      if (!had.includes(tool.id)) await services.server.disconnectTool(tool.id);
      throw error;
    }
    void inform(
      [t('{0} uses "{1}" of Waybill from its next start; Spend shows it as {2}.', tool.name, model.requestedModel, tool.id), ...(tool.note === undefined ? [] : [tool.note])].join(' '),
    );
  });
}

/** "Disconnect a Tool…": what was in its configuration comes back, and its token ends. */
export async function disconnectTool(services: CommandServices, place: ToolPlace): Promise<void> {
  await explained(async () => {
    const connector = await connectorAt(place);
    const tokens = await services.server.connectedTools();
    const connected = (await connector.states()).filter(one => one.connected || tokens.includes(one.id));
    if (connected.length === 0) throw noToolConnected(services);
    const tool = valueOf(await askChoice({
      title: t('Disconnect a Tool'), placeholder: t('Choose the tool whose configuration should be as it was'),
      items: connected.map(state => ({ label: state.name, description: descriptionOf(state), value: state })),
    }));
    if (tool === undefined) return;
    const shown = await connector.previewDisconnect(tool.id);
    if (!await place.changes.agreed(t('{0} without Waybill', tool.name), shown, shown.length === 0 ? { verb: t('End'), what: t('End its token') } : { verb: t('Restore'), what: t('Restore {0}', filesIn(shown)) })) return;
    await connector.disconnect(tool.id);
    await services.server.disconnectTool(tool.id);
    void inform(tool.connected
      ? t('{0} is configured as before, and its token has ended.', tool.name)
      : t('The token of {0} has ended. Its configuration was not written from here: take Waybill out of it by hand.', tool.name));
  });
}

/** Leads on to a connected tool: without a provider there is nothing to connect it to. */
export function noToolConnected(services: Pick<CommandServices, 'configuration'>): NextStep {
  return Object.keys(services.configuration.settings.endpoints).length === 0
    ? new NextStep(t('No tool is connected. Connecting one needs a provider first.'), addProviderAction)
    : new NextStep(t('No tool is connected.'), { title: t('Connect a Tool…'), command: 'waybill.connectTool' });
}

/** The address that a tool can be given for good. */
async function fixedAddress(services: CommandServices): Promise<string> {
  const { url } = await localEndpoint(services);
  if (services.configuration.settings.localEndpoint.port !== 0) return url;
  const [chooseAnother] = portActions;
  throw new NextStep(t('The local endpoint takes another port at each start: give it one for good, then connect the tool.'), ...(chooseAnother === undefined ? [] : [chooseAnother]));
}

async function askTool(states: readonly ToolState[], place: ToolPlace): Promise<ToolState | undefined> {
  return valueOf(await askChoice({
    title: t('Connect a Tool'), step: 1,
    placeholder: place.awayFromWindow ? t('Choose a tool on your own machine; tools on the remote machine cannot reach Waybill') : t('Choose the tool that should use Waybill'),
    items: states.map(state => ({ label: state.name, description: descriptionOf(state), value: state })),
  }));
}

function descriptionOf(state: ToolState): string {
  if (state.connectedTo !== undefined) return t('connected to {0}', state.connectedTo);
  if (state.connected) return t('connected');
  return state.found === undefined ? t('not found here') : t('found in {0}', state.found.replace(homedir(), '~'));
}

export function filesIn(shown: readonly Pick<ShownChange, 'file'>[]): string {
  return shown.map(({ file }) => file.replace(homedir(), '~')).reduce((all, file) => (all === '' ? file : t('{0} and {1}', all, file)), '');
}

/** What is wrong with a file is one sentence already, and needs no entry in the log. */
export async function explained(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw error instanceof Error && error.name === 'ConfigFileError' ? new UserError(error.message, { cause: error }) : error;
  }
}
