/**
 * Every command, with its title as the palette shows it (after "Switchyard: "). package.json contributes the same;
 * a test compares them. A command without a handler does not compile: see `CommandHandlers`.
 */
export const commandTitles = {
  'switchyard.addProvider': 'Add Provider…',
  'switchyard.removeProvider': 'Remove Provider…',
  'switchyard.testProvider': 'Test Provider…',
  'switchyard.enableProvider': 'Enable Provider…',
  'switchyard.disableProvider': 'Disable Provider…',
  'switchyard.addKey': 'Add Key…',
  'switchyard.renameKey': 'Rename Key…',
  'switchyard.replaceKey': 'Replace Key…',
  'switchyard.testKey': 'Test Key…',
  'switchyard.removeKey': 'Remove Key…',
  'switchyard.newRoute': 'New Route…',
  'switchyard.editRoute': 'Edit Route…',
  'switchyard.removeRoute': 'Remove Route…',
  'switchyard.addToRoute': 'Add Model to Route…',
  'switchyard.checkHealth': 'Check Health Now',
  'switchyard.fireDrill': 'Fire Drill…',
  'switchyard.stopFireDrill': 'Stop Fire Drill',
  'switchyard.fireDrillReport': 'Show Fire Drill Report',
  'switchyard.openChat': 'Open Chat',
  'switchyard.allowChatWithoutSignIn': 'Allow Chat Without Sign-In…',
  'switchyard.open': 'Open Switchyard',
  'switchyard.openSettings': 'Open Settings',
  'switchyard.showLog': 'Show Log',
  'switchyard.restartServer': 'Restart Server',
  'switchyard.copyLocalEndpointUrl': 'Copy Local Endpoint URL',
  'switchyard.chooseLocalEndpointPort': 'Choose Another Port…',
  'switchyard.retryLocalEndpoint': 'Try the Local Endpoint Again',
  'switchyard.copyLocalEndpointToken': 'Copy Local Endpoint Token…',
  'switchyard.connectTool': 'Connect a Tool…',
  'switchyard.disconnectTool': 'Disconnect a Tool…',
  'switchyard.writeChange': 'Write This Change',
  'switchyard.discardChange': 'Discard This Change',
} as const;
export type CommandId = keyof typeof commandTitles;

/** Commands of the Spend and Requests views, which register them themselves. */
export const viewCommandTitles = {
  'switchyard.showSpend': 'Show Spend',
  'switchyard.exportSpend': 'Export Spend as CSV…',
  'switchyard.showRequests': 'Show Requests',
  'switchyard.openReceipt': 'Open Receipt…',
} as const;

/** What a context menu hands to a command: the line of the tree it was opened on. */
export interface CommandTarget { endpoint?: string; keyId?: string; model?: string }

export type CommandHandlers = Readonly<Record<CommandId, (target: CommandTarget) => void | Promise<void>>>;

/** Reads what a command was called with: a tree line, a name, or nothing at all. */
export function commandTarget(argument: unknown): CommandTarget {
  if (typeof argument === 'string') return { endpoint: argument };
  if (typeof argument !== 'object' || argument === null) return {};
  const given: { endpoint?: unknown; keyId?: unknown; model?: unknown } = argument;
  return {
    ...(typeof given.endpoint === 'string' ? { endpoint: given.endpoint } : {}),
    ...(typeof given.keyId === 'string' ? { keyId: given.keyId } : {}),
    ...(typeof given.model === 'string' ? { model: given.model } : {}),
  };
}
