import { existsSync } from 'node:fs';
import type { ProfiledProxy } from './subjects.ts';
import type { RequestKind } from './traffic.ts';

/** Loads that can be profiled: a kind of request, or nothing but the way to the first answer. */
export type ProfiledLoad = Exclude<RequestKind, 'question'> | 'start';

export type Command =
  | { command: 'measure'; quick: boolean; rounds: number | undefined; only: string[]; /** The server of an earlier build. */ against: string | undefined; /** What is measured runs on one core, client and upstream on another. */ pinned: boolean }
  | { command: 'profile'; load: ProfiledLoad; of: ProfiledProxy }
  | { command: 'help' }
  | { command: 'wrong'; message: string };

const profiledProxies: readonly ProfiledProxy[] = ['pass-through', 'waybill'];
const profiled: readonly ProfiledLoad[] = ['small', 'flood', 'steady', 'turn', 'megabyte', 'eightMegabytes', 'start'];

/** Reads the command line. @param measureNames what `--only` may name */
export function parseArguments(argv: readonly string[], measureNames: readonly string[]): Command {
  const command = { command: 'measure' as const, quick: false, rounds: undefined as number | undefined, only: [] as string[], against: undefined as string | undefined, pinned: false };
  let profile: ProfiledLoad | undefined;
  let of: ProfiledProxy | undefined;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    const next = argv[index + 1];
    switch (word) {
      case '--help': return { command: 'help' };
      case '--pinned': command.pinned = true; break;
      case '--quick': command.quick = true; break;
      case '--only':
        if (next === undefined || !measureNames.includes(next)) return { command: 'wrong', message: `--only wants one of ${measureNames.join(', ')}.` };
        command.only.push(next);
        index++;
        break;
      case '--rounds':
        command.rounds = Number(next);
        if (!Number.isInteger(command.rounds) || command.rounds < 1) return { command: 'wrong', message: '--rounds wants a whole number from 1.' };
        index++;
        break;
      case '--against':
        if (next === undefined || !existsSync(next)) return { command: 'wrong', message: '--against wants the file of another build, its dist/server.js.' };
        command.against = next;
        index++;
        break;
      case '--profile':
        profile = profiled.find(kind => kind === next) ?? 'small';
        if (profile === next) index++;
        break;
      case '--of':
        of = profiledProxies.find(name => name === next);
        if (of === undefined) return { command: 'wrong', message: `--of wants one of ${profiledProxies.join(', ')}.` };
        index++;
        break;
      default: return { command: 'wrong', message: `"${word}" is not known.` };
    }
  }
  return profile === undefined ? command : { command: 'profile', load: profile, of: of ?? 'waybill' };
}

export function usage(measureNames: readonly string[]): string {
  return `Usage: npm run bench -- [--quick] [--rounds N] [--only NAME]… [--against FILE] [--pinned] | --profile [${profiled.join(' | ')}] [--of pass-through]
  --quick     two short rounds: shows that it works, not what it costs
  --only      ${measureNames.join(', ')}
  --against   dist/server.js of another build, measured beside this one in the same rounds
  --pinned    what is measured on one core, client and upstream on another; they change places each round (needs taskset)
  --profile   a CPU profile under that load, and its hot spots
`;
}
