import Module, { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { anyEditor, type Seen } from './anyEditor.ts';

/** An extension host that activates one extension and says what its thread needed for that, in microseconds of processor time. */
export interface ActivationReport { loadUs: number; activateUs: number; laterUs: number; seen: Seen }

interface Extension { activate(context: unknown): unknown; deactivate?(): unknown }

/** The server is started, and what speaks to it is loaded and waits. */
const laterMs = 700;

const [file = '', extensionFolder = '', dataFolder = ''] = process.argv.slice(2);
const editor = anyEditor();
const loader = Module as unknown as { _load(request: string, ...rest: unknown[]): unknown };
const load = loader._load;
loader._load = (request, ...rest) => (request === 'vscode' ? editor.module : load.call(loader, request, ...rest));
const context = editor.context(extensionFolder, dataFolder);
const require = createRequire(import.meta.url);

const spentUs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};
const beganUs = spentUs();
const extension = require(file) as Extension;
const loadedUs = spentUs();
await extension.activate(context);
const activatedUs = spentUs();
await sleep(laterMs);
const laterUs = spentUs();
const report: ActivationReport = { loadUs: loadedUs - beganUs, activateUs: activatedUs - loadedUs, laterUs: laterUs - activatedUs, seen: editor.seen };
process.send?.(report);
await Promise.race([extension.deactivate?.(), sleep(5000)]);
process.exit(0);
