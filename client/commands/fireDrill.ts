import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { defaultSlowMs, longestDrillMs, longestSlowMs, shortestDrillMs } from '../../server/api/drill.ts';
import type { DrillFault, RunningDrill, StartDrillParams } from '../../server/api/drill.ts';
import type { EndpointStatus } from '../../server/api/status.ts';
import { UserError } from '../base/errors.ts';
import type { CommandTarget } from './commandTable.ts';
import { askChoice, askText } from './input/quickInput.ts';
import type { Answer } from './input/quickInput.ts';
import type { CommandServices } from './services.ts';
import { describeKey } from '../keys/keyList.ts';
import type { WaybillServer } from '../server/waybillServer.ts';
import { countdown, drillText, faultChoices, plainDuration, readDuration } from '../base/drillWording.ts';

const title = t('Fire Drill');
const minuteMs = 60_000;
const shownWithinMs = 5_000;

/** What is chosen so far; a later step may depend on an earlier one. */
interface Draft {
  endpoint?: EndpointStatus;
  fault?: DrillFault;
  model?: string;
  keyId?: string;
  slowMs?: number;
  durationMs?: number;
}

/** Asks for one thing, and gives back the draft with it. */
type Step = (draft: Draft, canGoBack: boolean) => Promise<Answer<Draft>>;

/** "Fire Drill…": endpoint, fault, part of the endpoint, time; then, after one question, the drill runs. */
export async function fireDrill(services: CommandServices, target: CommandTarget): Promise<void> {
  const running = services.server.status?.drill?.running ?? [];
  if (running.length > 0) {
    await offerToStop(services, running);
    return;
  }
  const endpoints = (services.server.status?.endpoints ?? []).filter(endpoint => endpoint.enabled);
  if (endpoints.length === 0) {
    await noEndpoints(services);
    return;
  }
  const named = endpoints.find(endpoint => endpoint.name === target.endpoint) ?? (endpoints.length === 1 ? endpoints[0] : undefined);
  const draft = await ask(named === undefined ? {} : { endpoint: named }, endpoints);
  if (draft?.endpoint === undefined || draft.fault === undefined || draft.durationMs === undefined) return;
  const { endpoint, fault, model, keyId, slowMs, durationMs } = draft;
  const params: StartDrillParams = { endpoint: endpoint.name, fault, model, keyId, slowMs, durationMs };
  const key = endpoint.keys.find(one => one.id === keyId);
  if (!await agreed(drillText({ ...params, keyName: key === undefined ? undefined : describeKey(key) }), params)) return;
  const { refused, drill } = await services.server.startDrill(params);
  if (refused !== undefined) throw new UserError(refused);
  if (drill !== undefined && await isShown(services.server, drill.id)) await vscode.commands.executeCommand('waybill.drill.focus');
}

/** The view is there only while the state says that a drill runs; that comes a moment later. */
function isShown(server: WaybillServer, id: string): Promise<boolean> {
  const runs = (): boolean => server.status?.drill?.running.some(drill => drill.id === id) === true;
  if (runs()) return Promise.resolve(true);
  return new Promise(resolve => {
    const finish = (shown: boolean): void => {
      clearTimeout(timer);
      subscription.dispose();
      resolve(shown);
    };
    const timer = setTimeout(() => finish(false), shownWithinMs);
    const subscription = server.onDidChangeStatus(() => { if (runs()) finish(true); });
  });
}

/** "Stop Fire Drill". Its result is shown when the status says that it has ended. */
export async function stopFireDrill(services: CommandServices): Promise<void> {
  const ended = await services.server.stopDrills();
  if (ended.length === 0) void vscode.window.showInformationMessage(t('No fire drill is running.'));
}

async function offerToStop(services: CommandServices, running: readonly RunningDrill[]): Promise<void> {
  const stop = t('Stop Drill');
  const show = t('Show Drill');
  const now = Date.now();
  const what = running.map(drill => t('{0} for another {1}', drillText(drill), countdown(drill.until, now))).join('; ');
  const pick = await vscode.window.showInformationMessage(t('A fire drill is running: {0}.', what), stop, show);
  if (pick === stop) await stopFireDrill(services);
  if (pick === show) await vscode.commands.executeCommand('waybill.drill.focus');
}

async function noEndpoints(services: CommandServices): Promise<void> {
  const configured = Object.keys(services.configuration.settings.endpoints).length;
  if (configured > 0 && services.server.status === undefined) throw new UserError(t('Waybill is still starting: try again in a moment.'));
  const add = t('Add Provider…');
  const pick = await vscode.window.showInformationMessage(
    configured === 0 ? t('There is no provider yet that a fire drill could take away.') : t('No provider is switched on that a fire drill could take away.'), add);
  if (pick === add) await vscode.commands.executeCommand('waybill.addProvider');
}

/** Walks the steps, back and forth. Undefined when the user leaves. */
async function ask(given: Draft, endpoints: readonly EndpointStatus[]): Promise<Draft | undefined> {
  const steps: Step[] = [
    ...(given.endpoint === undefined ? [(draft: Draft) => askEndpoint(draft, endpoints)] : []),
    askFault, askPart, askSlowness, askDuration,
  ];
  const drafts: Draft[] = [given];
  const asked: number[] = [];
  let index = 0;
  for (let step = steps[index]; step !== undefined; step = steps[index]) {
    const draft = drafts.at(-1) ?? given;
    const answer = await step(draft, asked.length > 0);
    if (answer.kind === 'cancel') return undefined;
    if (answer.kind === 'back') {
      drafts.pop();
      index = asked.pop() ?? 0;
      continue;
    }
    // A step that had nothing to ask is passed over on the way back as well.
    if (answer.value !== draft) {
      drafts.push(answer.value);
      asked.push(index);
    }
    index += 1;
  }
  return drafts.at(-1);
}

function unasked(draft: Draft): Answer<Draft> {
  return { kind: 'value', value: draft };
}

function withAnswer<T>(answer: Answer<T>, change: (value: T) => Draft): Answer<Draft> {
  return answer.kind === 'value' ? { kind: 'value', value: change(answer.value) } : answer;
}

async function askEndpoint(draft: Draft, endpoints: readonly EndpointStatus[]): Promise<Answer<Draft>> {
  return withAnswer(await askChoice({
    title, placeholder: t('Which provider should fail?'),
    items: endpoints.map(endpoint => ({ label: endpoint.name, description: endpoint.providerName, value: endpoint })),
  }), endpoint => ({ ...draft, endpoint }));
}

async function askFault(draft: Draft, canGoBack: boolean): Promise<Answer<Draft>> {
  const keyless = draft.endpoint?.keys.length === 0;
  return withAnswer(await askChoice({
    title, placeholder: draft.endpoint === undefined ? t('What should go wrong with it?') : t('What should go wrong with {0}?', draft.endpoint.name), canGoBack,
    items: faultChoices.filter(({ fault }) => fault !== 'dead-key' || !keyless).map(({ fault, label, detail }) => ({ label, detail, value: fault })),
  }), fault => ({ ...draft, fault }));
}

/** A dead key is one key or all; any other fault is of one model or of the whole endpoint. */
async function askPart(draft: Draft, canGoBack: boolean): Promise<Answer<Draft>> {
  const { endpoint, fault } = draft;
  if (endpoint === undefined) return unasked(draft);
  if (fault === 'dead-key') {
    if (endpoint.keys.length < 2) return unasked(draft);
    return withAnswer(await askChoice<string | undefined>({
      title, placeholder: t('Which key should be dead?'), canGoBack,
      items: [...endpoint.keys.map(key => ({ label: describeKey(key), value: key.id })), { label: t('Every key'), value: undefined }],
    }), keyId => ({ ...draft, ...(keyId === undefined ? {} : { keyId }) }));
  }
  if (endpoint.models.length < 2) return unasked(draft);
  return withAnswer(await askChoice<string | undefined>({
    title, placeholder: t('All of it, or one model?'), canGoBack,
    items: [{ label: t('All of {0}', endpoint.name), value: undefined }, ...endpoint.models.map(model => ({ label: model, value: model }))],
  }), model => ({ ...draft, ...(model === undefined ? {} : { model }) }));
}

async function askSlowness(draft: Draft, canGoBack: boolean): Promise<Answer<Draft>> {
  if (draft.fault !== 'slow') return unasked(draft);
  const choice = await askChoice<number | undefined>({
    title, placeholder: t('How long should the first byte of an answer be held back?'), canGoBack,
    items: [...[3000, defaultSlowMs, 30_000, minuteMs].map(slowMs => ({ label: plainDuration(slowMs), value: slowMs })), { label: t('Another Time…'), value: undefined }],
  });
  if (choice.kind !== 'value' || choice.value !== undefined) return withAnswer(choice, slowMs => ({ ...draft, slowMs: slowMs ?? defaultSlowMs }));
  return withAnswer(await askTime(t('Held back for'), t('Such as 20 s or 2 min'), 1, longestSlowMs), slowMs => ({ ...draft, slowMs }));
}

async function askDuration(draft: Draft, canGoBack: boolean): Promise<Answer<Draft>> {
  const choice = await askChoice<number | undefined>({
    title, placeholder: t('For how long? It can be stopped at any time.'), canGoBack,
    items: [...[1, 5, 15].map(minutes => ({ label: plainDuration(minutes * minuteMs), value: minutes * minuteMs })), { label: t('Another Time…'), value: undefined }],
  });
  if (choice.kind !== 'value' || choice.value !== undefined) return withAnswer(choice, durationMs => ({ ...draft, durationMs: durationMs ?? minuteMs }));
  return withAnswer(await askTime(t('Length of the drill'), t('Such as 90 s, 10 min or 1 h'), shortestDrillMs, longestDrillMs), durationMs => ({ ...draft, durationMs }));
}

async function askTime(prompt: string, placeholder: string, shortestMs: number, longestMs: number): Promise<Answer<number>> {
  const problem = (text: string): string | undefined => {
    const milliseconds = readDuration(text);
    if (milliseconds === undefined) return t('Write a time such as 90 s, 10 min or 1 h.');
    return milliseconds < shortestMs || milliseconds > longestMs ? t('At most {0}, and not nothing.', plainDuration(longestMs)) : undefined;
  };
  const answer = await askText({ title, prompt, placeholder, problem, canGoBack: true });
  return answer.kind === 'value' ? { kind: 'value', value: readDuration(answer.value) ?? shortestMs } : answer;
}

async function agreed(what: string, { durationMs, fault }: StartDrillParams): Promise<boolean> {
  const start = t('Start Drill');
  const goesOut = fault === 'slow' || fault === 'cut';
  const detail = [
    t('Until it ends, real requests of this window, and of tools that use its local endpoint, meet this fault and go elsewhere where they can.'),
    ...(goesOut ? [t('They still go out, and cost what they cost.')] : []),
    t('The drill itself sends nothing, and health and keys are put back when it ends.'),
  ].join('\n\n');
  return await vscode.window.showWarningMessage(t('Fire drill: {0}, for {1}?', what, plainDuration(durationMs)), { modal: true, detail }, start) === start;
}
