import { simulatedModel } from '../api/firstRun/simulated.ts';
import { quotable } from './composeAnswer.ts';
import { startSandboxProvider } from './sandboxProvider.ts';
import type { SandboxProvider } from './sandboxProvider.ts';
import type { SandboxPrompt, SandboxProtocol, SandboxSpeech } from './wires/sandboxWire.ts';

const latency = { headersMs: 20, firstTokenMs: 60, betweenWordsMs: 15 };

/**
 * Starts a provider that answers without a model, for people who try Waybill without a key. It listens on 127.0.0.1, takes
 * any request of its protocol, and says in each answer that it is simulated. Nobody can control it or see what it was asked.
 * @throws Error when no port can be opened
 */
export async function startSimulatedProvider(name: string, protocol: SandboxProtocol): Promise<SandboxProvider> {
  return startSandboxProvider({ protocol, name, models: [simulatedModel], latency, strict: 'lenient', controlled: false, journalLimit: 1, says: prompt => speechOf(name, prompt) });
}

/** Undefined where the request leaves no choice: a tool to call, its result to read, JSON to give. */
function speechOf(name: string, { format, toolChoice, toolResults, userText }: SandboxPrompt): SandboxSpeech | undefined {
  if (format !== 'text' || toolResults.length > 0 || (toolChoice !== 'auto' && toolChoice !== 'none')) return undefined;
  return {
    text: `This answer is simulated: ${name} wrote it without a model, and it cost nothing. It read your prompt: "${quotable(userText)}". `
      + 'Run "Waybill: Fire Drill…" and ask again to see the other simulated provider take over.',
  };
}
