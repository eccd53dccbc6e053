import type { AwsParts } from './aws.ts';
import { findCredentials } from './credentials.ts';
import { EventFrames } from './frames.ts';
import { signAws } from './signing.ts';

/** All that AWS's own libraries are needed for; the bundle keeps it in a file of its own. */
export const awsParts: AwsParts = { sign: signAws, findCredentials: (login, ask) => findCredentials(login, ask), openFrames: () => new EventFrames() };
