import { t } from '@vscode/l10n';
import type { TimeoutSettings } from '../../../server/api/settings.ts';
import { withPart, type NumberField, type Policy } from './policy.ts';

interface WithTimeouts { timeouts?: TimeoutSettings | undefined }

type Look = Pick<NumberField, 'title' | 'prompt' | 'unit' | 'perUnit' | 'min' | 'max' | 'whole'>;

const seconds = { unit: 's', perUnit: 1000, whole: true, min: 0.01 } as const;

const looks: Readonly<Record<keyof TimeoutSettings, Look>> = {
  connectMs: { title: t('Connection'), prompt: t('The longest wait for a connection'), ...seconds, max: 120 },
  headersMs: { title: t('Response headers'), prompt: t('The longest wait for the response headers'), ...seconds, max: 3600 },
  firstTokenMs: { title: t('First token'), prompt: t('The longest wait for the first text, reasoning or tool call'), ...seconds, max: 3600 },
  idleMs: { title: t('Silence'), prompt: t('The longest silence in the middle of a stream'), ...seconds, max: 3600 },
  totalMs: { title: t('Whole attempt'), prompt: t('The longest time of one attempt'), ...seconds, max: 86_400 },
  minTokensPerSecond: { title: t('Slowest pace'), prompt: t('The least that an answer must bring once it has begun, in tokens a second; 0 turns the check off'), unit: t('tokens/s'), min: 0, max: 10_000 },
};

/** The timers of attempts, of a route or of a provider. @param unset what holds for those that are not set */
export function timeoutPolicy<Settings extends WithTimeouts>(unset: string): Policy<Settings> {
  return {
    title: t('Timeouts'), unset,
    fields: (Object.keys(looks) as (keyof TimeoutSettings)[]).map(name => ({
      kind: 'number', ...looks[name], unset,
      get: ({ timeouts }) => timeouts?.[name],
      set: (settings, value) => withPart<WithTimeouts, 'timeouts', keyof TimeoutSettings>(settings, 'timeouts', name, value) as Settings,
    })),
  };
}
