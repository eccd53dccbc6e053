import { startSandboxProvider, type SandboxOptions, type SandboxProvider } from '../../server/sandbox/sandboxProvider.ts';
import type { SandboxSpeech } from '../../server/sandbox/wires/sandboxWire.ts';
import type { JsonObject } from '../../server/base/json.ts';
import { healthy, type Fault } from './faults.ts';
import { HealthLog } from './healthLog.ts';
import { acceptedKeys, healthyPace } from './routerConfig.ts';
import { protocolOf, providerNames, readPrompt, rightCall, rightText, textsOf, type ProviderName } from './requests.ts';
import type { Counted, ProviderOrder, ProviderWord } from './providerMessages.ts';
import { faultChanges, type Change } from './schedule.ts';

/** The process with the providers of a chaos run. They change their behaviour as the schedule says and count what they serve. */

const lookMs = 20;
/** The providers count as not well while their process did not run for this long. */
const awayMs = 100;
const reportMs = 100;

const log = new HealthLog();
const providers = new Map<ProviderName, SandboxProvider>();
const current = new Map<ProviderName, Fault>();
const answersWhole = new Set(['answer', 'crawl', 'malformed-line']);
let counted: Counted[] = [];
let changes = 0;
let nextChange: NodeJS.Timeout | undefined;

/** The right words. When a request contains the beginning of another provider's answer, the words that are missing from it. */
function says(provider: ProviderName, body: JsonObject): SandboxSpeech | undefined {
  const texts = [...textsOf(body)];
  const wanted = texts.map(readPrompt).find(one => one !== undefined);
  if (wanted === undefined) return undefined;
  const { nonce, words, wants } = wanted;
  if (wants === 'call') {
    const call = rightCall(provider, nonce, words);
    return { toolCalls: [{ name: call.name, arguments: JSON.stringify(call.arguments) }] };
  }
  for (const name of providerNames) {
    const whole = rightText(name, nonce, words);
    const begun = texts.filter(text => text.length > 0 && whole.startsWith(text)).sort((one, other) => other.length - one.length)[0];
    if (begun !== undefined) return { text: whole.slice(begun.length) || nothingToAdd(texts) };
  }
  return { text: rightText(provider, nonce, words) };
}

/** What a model that follows its instructions answers when its answer was already whole. */
function nothingToAdd(texts: readonly string[]): string {
  return texts.map(text => /answer with (\S+) and nothing else/.exec(text)?.[1]).find(word => word !== undefined) ?? '';
}

function say(word: ProviderWord): void {
  process.send?.(word);
}

function report(): void {
  if (counted.length > 0) say({ word: 'counted', requests: counted });
  counted = [];
}

async function apply({ provider: index, fault }: Change): Promise<void> {
  const name = providerNames[index];
  const provider = name === undefined ? undefined : providers.get(name);
  if (name === undefined || provider === undefined) return;
  const before = current.get(name);
  changes += 1;
  current.set(name, fault);
  const now = Date.now();
  // A caller that was asked to wait until then may not ask before.
  if (before !== undefined && before.waitMs > 0) log.away(name, now + before.waitMs);
  if (fault.name !== 'healthy') log.ill(name, now);
  provider.script(fault.behaviour);
  if (before?.name === 'refuse') await provider.revive();
  if (fault.name === 'healthy' && current.get(name) === fault) log.well(name, Date.now());
}

function storm(seed: number): void {
  const startedAt = performance.now();
  const schedule = faultChanges(seed, providerNames.length);
  const step = (): void => {
    for (;;) {
      const { value } = schedule.next();
      const leftMs = value.atMs - (performance.now() - startedAt);
      if (leftMs <= 0) void apply(value);
      else {
        nextChange = setTimeout(() => {
          void apply(value);
          step();
        }, leftMs);
        return;
      }
    }
  };
  step();
}

async function calm(): Promise<void> {
  clearTimeout(nextChange);
  await Promise.all(providerNames.map((_, provider) => apply({ atMs: 0, provider, fault: healthy })));
  report();
  say({ word: 'spans', spans: log.take(Date.now()) });
  say({ word: 'calm', changes });
}

async function hangUp(): Promise<void> {
  say({ word: 'open', requests: [...providers.values()].reduce((sum, provider) => sum + provider.openCount, 0) });
  for (const provider of providers.values()) {
    provider.die();
    await provider.revive();
  }
  say({ word: 'hung-up' });
}

let lookedAt = performance.now();
setInterval(() => {
  const now = performance.now();
  if (now - lookedAt > lookMs + awayMs) log.missing(Date.now() - (now - lookedAt), Date.now());
  lookedAt = now;
}, lookMs);
setInterval(report, reportMs);

process.on('message', (message: ProviderOrder) => {
  switch (message.order) {
    case 'storm': storm(message.seed); break;
    case 'calm': void calm(); break;
    case 'hang-up': void hangUp(); break;
  }
});
process.on('disconnect', () => process.exit(0));

/**
 * Starts a provider at a port outside the range of outgoing connections: while it refuses, its port is free, and must still be free afterwards.
 */
async function startAnywhere(options: SandboxOptions): Promise<SandboxProvider> {
  for (let tries = 0; ; tries++) {
    try {
      return await startSandboxProvider({ ...options, port: 16_000 + Math.floor(Math.random() * 12_000) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries > 20) throw error;
    }
  }
}

for (const name of providerNames) {
  providers.set(name, await startAnywhere({
    protocol: protocolOf[name], name, keys: acceptedKeys, journalLimit: 1, latency: healthyPace,
    says: (_prompt, body) => says(name, body),
    onEnded: request => {
      const nonce = [...textsOf(request.body)].map(readPrompt).find(one => one !== undefined)?.nonce;
      if (nonce === undefined) return;
      const whole = request.usage !== undefined && answersWhole.has(request.behaviour ?? '') && request.finishedAt !== undefined;
      counted.push({ provider: name, nonce, behaviour: request.behaviour, status: request.status, usage: request.usage, whole });
    },
  }));
}
say({ word: 'ready', providers: [...providers].map(([name, provider]) => ({ name, url: provider.url })) });
