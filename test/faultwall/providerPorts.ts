import { startSandboxProvider, type SandboxOptions, type SandboxProvider } from '../../server/sandbox/sandboxProvider.ts';

/** Below the range from which systems assign ports. */
const firstPort = 10_000;
/** Where to look when another program has the port. */
const elsewhere = 9_000;

/**
 * Starts a provider that will refuse connections at a port of its own. A port the system chose could go to the next
 * server of this run as soon as it is closed, and connections to it would then be taken.
 * @param place a number no other provider of the run has, below 9000
 */
export async function startAtQuietPort(options: SandboxOptions, place: number): Promise<SandboxProvider> {
  try {
    return await startSandboxProvider({ ...options, port: firstPort + place });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') throw error;
    return startSandboxProvider({ ...options, port: firstPort + elsewhere + place });
  }
}
