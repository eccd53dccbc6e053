import { readRequestFilter } from '../../server/api/reports/requestFilter.ts';
import type { RequestFilter } from '../../server/api/reports/requestFilter.ts';

/**
 * Every command, with its title as the palette shows it (after "Waybill: "). package.json contributes the same;
 * a test compares them. A command without a handler does not compile: see `CommandHandlers`.
 */
export const commandTitles = {
  'waybill.addProvider': 'Add Provider…',
  'waybill.importKeys': 'Import Keys…',
  'waybill.tryWithoutKeys': 'Try It Without Keys',
  'waybill.removeSimulated': 'Remove Simulated Providers',
  'waybill.removeProvider': 'Remove Provider…',
  'waybill.testProvider': 'Test Provider…',
  'waybill.editProvider': 'Edit Provider…',
  'waybill.setPrices': 'Set Prices…',
  'waybill.enableProvider': 'Enable Provider…',
  'waybill.disableProvider': 'Disable Provider…',
  'waybill.addKey': 'Add Key…',
  'waybill.renameKey': 'Rename Key…',
  'waybill.replaceKey': 'Replace Key…',
  'waybill.testKey': 'Test Key…',
  'waybill.removeKey': 'Remove Key…',
  'waybill.editKeyPool': 'Edit Key Pool…',
  'waybill.newRoute': 'New Route…',
  'waybill.editRoute': 'Edit Route…',
  'waybill.removeRoute': 'Remove Route…',
  'waybill.addToRoute': 'Add Model to Route…',
  'waybill.tryRoute': 'Dry Run of a Request…',
  'waybill.openRouteSettings': 'Open Routes as JSON',
  'waybill.addRouteTarget': 'Add Model or Route…',
  'waybill.moveTargetUp': 'Move Up',
  'waybill.moveTargetDown': 'Move Down',
  'waybill.weighTarget': 'Set Weight…',
  'waybill.tierTarget': 'Set When It Is Used…',
  'waybill.removeTarget': 'Remove from Route',
  'waybill.editRoutePolicy': 'Edit This Policy…',
  'waybill.why': 'Why Did It Go There?…',
  'waybill.filterRequests': 'Filter Requests…',
  'waybill.clearRequestFilter': 'Clear Filter of Requests',
  'waybill.cancelRequest': 'Cancel Request…',
  'waybill.compareRequests': 'Compare Two Requests…',
  'waybill.copyRequestId': 'Copy Request ID',
  'waybill.showOnlyTool': 'Show Only This Tool',
  'waybill.showOnlyConversation': 'Show Only This Conversation',
  'waybill.showOnlyModel': 'Show Only This Model',
  'waybill.lastChatReceipt': 'Show Receipt of Last Chat Answer',
  'waybill.checkHealth': 'Check Health Now',
  'waybill.pauseEndpoint': 'Pause Endpoint…',
  'waybill.resumeEndpoint': 'Resume Endpoint',
  'waybill.probeNow': 'Probe Now',
  'waybill.resetBreaker': 'Reset Breaker',
  'waybill.showIncidents': 'Show Incidents…',
  'waybill.fireDrill': 'Fire Drill…',
  'waybill.stopFireDrill': 'Stop Fire Drill',
  'waybill.fireDrillReport': 'Show Fire Drill Report',
  'waybill.startCanary': 'Start Canary…',
  'waybill.promoteCanary': 'Promote Canary…',
  'waybill.pauseCanary': 'Pause Canary…',
  'waybill.rollBackCanary': 'Roll Back Canary…',
  'waybill.adoptCanary': 'Make Canary the Targets of Its Route…',
  'waybill.canaryReport': 'Show Canary Report…',
  'waybill.startShadow': 'Start Shadow…',
  'waybill.stopShadow': 'Stop Shadow…',
  'waybill.shadowReport': 'Show Shadow Report…',
  'waybill.setBudget': 'Set Budget…',
  'waybill.editBudgets': 'Edit Budgets…',
  'waybill.allowBudget': 'Allow More of a Budget…',
  'waybill.blockExtension': 'Block Extension…',
  'waybill.dryRun': 'Dry Run Over Yesterday',
  'waybill.rulesHistory': 'Rules History…',
  'waybill.clearResponseCache': 'Clear Response Cache…',
  'waybill.forgetTitles': 'Forget Kept Titles…',
  'waybill.reconcileBill': 'Reconcile Bill…',
  'waybill.cacheReport': 'Show Cache Report…',
  'waybill.openSpendDashboard': 'Open Spend Dashboard',
  'waybill.showSavings': 'Show Savings…',
  'waybill.migrationReport': 'Migration Report…',
  'waybill.getStarted': 'Get Started',
  'waybill.openChat': 'Open Chat',
  'waybill.allowChatWithoutSignIn': 'Allow Chat Without Sign-In…',
  'waybill.open': 'Open Waybill',
  'waybill.openSettings': 'Open Settings',
  'waybill.showLog': 'Show Log',
  'waybill.restartServer': 'Restart Server',
  'waybill.copyLocalEndpointUrl': 'Copy Local Endpoint URL',
  'waybill.chooseLocalEndpointPort': 'Choose Another Port…',
  'waybill.retryLocalEndpoint': 'Try the Local Endpoint Again',
  'waybill.copyLocalEndpointToken': 'Copy Local Endpoint Token…',
  'waybill.connectTool': 'Connect a Tool…',
  'waybill.disconnectTool': 'Disconnect a Tool…',
  'waybill.editToolAccess': 'Edit Tool Access…',
  'waybill.checkTools': 'Check Connected Tools',
  'waybill.writeChange': 'Write This Change',
  'waybill.discardChange': 'Discard This Change',
} as const;
export type CommandId = keyof typeof commandTitles;
export const commandIds = Object.keys(commandTitles) as CommandId[];

/** Commands of the Spend and Requests views, which register them themselves. */
export const viewCommandTitles = {
  'waybill.showSpend': 'Show Spend',
  'waybill.exportSpend': 'Export Spend as CSV…',
  'waybill.showRequests': 'Show Requests',
  'waybill.openReceipt': 'Open Receipt…',
} as const;

/** What a context menu hands to a command: the line of the tree it was opened on. */
export interface CommandTarget { endpoint?: string; keyId?: string; model?: string; route?: string; days?: number; target?: string; policy?: string; request?: string; condition?: string; filter?: RequestFilter; /** First and last local day. */ range?: { fromDay: string; toDay: string }; /** Of the Spend view. */ period?: string }

export type CommandHandlers = Readonly<Record<CommandId, (target: CommandTarget) => void | Promise<void>>>;

/** Reads what a command was called with: a tree line, a name, or nothing at all. */
export function commandTarget(argument: unknown): CommandTarget {
  if (typeof argument === 'string') return { endpoint: argument };
  if (typeof argument !== 'object' || argument === null) return {};
  const given: { endpoint?: unknown; keyId?: unknown; model?: unknown; route?: unknown; days?: unknown; target?: unknown; policy?: unknown; request?: unknown; kind?: unknown; part?: unknown; filter?: unknown; fromDay?: unknown; toDay?: unknown; period?: unknown } = argument;
  return {
    ...(typeof given.endpoint === 'string' ? { endpoint: given.endpoint } : {}),
    ...(typeof given.keyId === 'string' ? { keyId: given.keyId } : {}),
    ...(typeof given.model === 'string' ? { model: given.model } : {}),
    ...(typeof given.route === 'string' ? { route: given.route } : {}),
    ...(typeof given.days === 'number' ? { days: given.days } : {}),
    ...(typeof given.target === 'string' ? { target: given.target } : {}),
    ...(typeof given.policy === 'string' ? { policy: given.policy } : {}),
    ...(given.kind === 'condition' && typeof given.part === 'string' ? { condition: given.part } : {}),
    ...filterOf(given.filter),
    ...(typeof given.fromDay === 'string' && typeof given.toDay === 'string' ? { range: { fromDay: given.fromDay, toDay: given.toDay } } : {}),
    ...(typeof given.period === 'string' ? { period: given.period } : {}),
    ...requestOf(given.request),
  };
}

/** The id of a request, or its line in a list. */
function requestOf(request: unknown): Pick<CommandTarget, 'request'> {
  const id: unknown = typeof request === 'object' && request !== null && 'id' in request ? request.id : request;
  return typeof id === 'string' ? { request: id } : {};
}

/** A filter of requests that another view hands over. */
function filterOf(given: unknown): Pick<CommandTarget, 'filter'> {
  const filter = typeof given === 'object' && given !== null ? readRequestFilter({ ...given }) : '';
  return typeof filter === 'string' ? {} : { filter };
}
