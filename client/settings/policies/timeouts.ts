import type { TimeoutSettings } from '../../../server/api/settings.ts';
import { withPart, type NumberField, type Policy } from './policy.ts';

interface WithTimeouts { timeouts?: TimeoutSettings | undefined }

type Look = Pick<NumberField, 'title' | 'prompt' | 'unit' | 'perUnit' | 'min' | 'max' | 'whole'>;

const seconds = { unit: 's', perUnit: 1000, whole: true, min: 0.01 } as const;

const looks: Readonly<Record<keyof TimeoutSettings, Look>> = {
  connectMs: { title: 'Connection', prompt: 'The longest wait for a connection', ...seconds, max: 120 },
  headersMs: { title: 'Response headers', prompt: 'The longest wait for the response headers', ...seconds, max: 3600 },
  firstTokenMs: { title: 'First token', prompt: 'The longest wait for the first text, reasoning or tool call', ...seconds, max: 3600 },
  idleMs: { title: 'Silence', prompt: 'The longest silence in the middle of a stream', ...seconds, max: 3600 },
  totalMs: { title: 'Whole attempt', prompt: 'The longest time of one attempt', ...seconds, max: 86_400 },
  minTokensPerSecond: { title: 'Slowest pace', prompt: 'The least that an answer must bring once it has begun, in tokens a second; 0 turns the check off', unit: 'tokens/s', min: 0, max: 10_000 },
};

/** The timers of attempts, of a route or of a provider. @param unset what holds for those that are not set */
export function timeoutPolicy<Settings extends WithTimeouts>(unset: string): Policy<Settings> {
  return {
    title: 'Timeouts', unset,
    fields: (Object.keys(looks) as (keyof TimeoutSettings)[]).map(name => ({
      kind: 'number', ...looks[name], unset,
      get: ({ timeouts }) => timeouts?.[name],
      set: (settings, value) => withPart<WithTimeouts, 'timeouts', keyof TimeoutSettings>(settings, 'timeouts', name, value) as Settings,
    })),
  };
}
