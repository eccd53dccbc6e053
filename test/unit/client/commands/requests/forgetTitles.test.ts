import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import { Emitter } from '../../../../../client/base/emitter.ts';
import { settle } from '../../fakes.ts';

interface Asked { message: string; detail?: string; buttons: string[] }
interface Editor { questions: Asked[]; told: Asked[]; ran: string[]; press?: string | undefined; focused: boolean }

/** An editor that keeps what it shows, and presses one button wherever it is offered. */
const editor = `data:text/javascript,${encodeURIComponent(`
const of = globalThis.titlesEditor;
const pressed = buttons => buttons.find(button => button === of.press);
const tell = async (message, ...buttons) => { of.told.push({ message, buttons }); return pressed(buttons); };
export const window = {
  get state() { return { focused: of.focused }; },
  showInformationMessage: tell,
  showWarningMessage: async (message, options, ...buttons) => {
    if (options?.modal !== true) return tell(message, ...(options === undefined ? [] : [options]), ...buttons);
    of.questions.push({ message, detail: options.detail, buttons });
    return pressed(buttons);
  },
  withProgress: (options, run) => run(),
};
export const ProgressLocation = { Notification: 15 };
export const commands = { executeCommand: async name => { of.ran.push(name); } };
export const env = { language: 'en' };`)}`;

const shown: Editor = { questions: [], told: [], ran: [], focused: true };
Object.assign(globalThis, { titlesEditor: shown });
const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url: editor, shortCircuit: true } : next(name, context)) });
const { forgetTitles } = await import('../../../../../client/commands/requests/forgetTitles.ts');
const { offerToForgetTitles } = await import('../../../../../client/notices/keptTitlesOffer.ts');
hooks.deregister();

function reset(press?: string, focused = true): void {
  Object.assign(shown, { questions: [], told: [], ran: [], press, focused });
}

/** A server with so many titles. */
function serverWith(count: number, result: object = { count, damagedCopies: [] }) {
  const of = { forgotten: 0, keptTitles: () => Promise.resolve({ count }), forgetTitles: () => { of.forgotten += 1; return Promise.resolve(result); } };
  return of;
}

describe('forgetting the titles that are kept', () => {
  const run = async (server: ReturnType<typeof serverWith>, keepTitles = false): Promise<number> => {
    let refreshed = 0;
    await forgetTitles({ server, configuration: { settings: { keepTitles } } } as never, { titlesForgotten: () => { refreshed += 1; } });
    return refreshed;
  };

  it('asks first and says of how many requests; without a yes nothing is removed', async () => {
    reset();
    const server = serverWith(3);
    assert.deepEqual([await run(server), server.forgotten, shown.told.length], [0, 0, 0]);
    assert.deepEqual(shown.questions.map(({ message, buttons }) => [message, buttons]), [['Forget the first words of 3 requests?', ['Forget Titles']]]);
    assert.doesNotMatch(shown.questions[0]?.detail ?? '', /waybill\.keepTitles/);
    await run(server, true);
    assert.match(shown.questions[1]?.detail ?? '', /later conversations are still kept, because waybill\.keepTitles is on/);
  });

  it('says what was removed, and the list of requests is read again', async () => {
    reset('Forget Titles');
    const server = serverWith(1);
    assert.deepEqual([await run(server), server.forgotten], [1, 1]);
    assert.deepEqual(shown.told.map(({ message }) => message), ['Forgot the first words of 1 request.']);
  });

  it('asks nothing where none is left, and finishes what an earlier try left', async () => {
    reset();
    const server = serverWith(0);
    await run(server);
    assert.deepEqual([server.forgotten, shown.questions, shown.told.map(({ message }) => message)], [1, [], ['No title of a conversation is kept.']]);
  });

  it('names damaged ledgers that may still have some, and says why nothing could be removed', async () => {
    reset('Forget Titles');
    await run(serverWith(2, { count: 2, damagedCopies: ['ledger.db.damaged-1', 'ledger.db.damaged-2'] }));
    assert.match(shown.told[0]?.message ?? '', /^Forgot the first words of 2 requests\. Damaged ledgers .*: ledger\.db\.damaged-1, ledger\.db\.damaged-2$/);
    await assert.rejects(run(serverWith(2, { refused: 'The ledger is locked by another program; try again in a moment.' })), /^UserError: The ledger is locked/);
  });
});

describe('switching the keeping of titles off', () => {
  function settingOf(server: object, keepTitles: boolean) {
    const changed = new Emitter<{ keepTitles: boolean }>();
    const offer = offerToForgetTitles(server as never, { settings: { keepTitles }, onDidChange: changed.event } as never);
    return { offer, async set(value: boolean) { changed.fire({ keepTitles: value }); await settle(); } };
  }

  it('offers once to forget those that are there', async () => {
    reset('Forget Kept Titles…');
    const setting = settingOf(serverWith(2), true);
    await setting.set(true);
    assert.deepEqual(shown.told, []);
    await setting.set(false);
    await setting.set(false);
    assert.deepEqual(shown.told, [{ message: 'No more titles are kept. The ledger still has the first words of 2 requests.', buttons: ['Forget Kept Titles…'] }]);
    assert.deepEqual(shown.ran, ['waybill.forgetTitles']);
    setting.offer.dispose();
    await setting.set(true);
    await setting.set(false);
    assert.equal(shown.told.length, 1);
  });

  it('says nothing where none is there, in windows without the focus, and while it was never on', async () => {
    reset();
    for (const [server, kept, focused] of [[serverWith(0), true, true], [serverWith(2), true, false], [serverWith(2), false, true], [{ keptTitles: () => Promise.reject(new Error('stopped')) }, true, true]] as const) {
      shown.focused = focused;
      await settingOf(server, kept).set(false);
    }
    assert.deepEqual(shown.told, []);
  });
});
