import { homedir } from 'node:os';
import type { ToolConnector } from './toolConnector.ts';

/** Edits the files of the user's tools. With its parsers it is loaded when it is needed. @param storageFolder where it remembers what stood there before */
export async function connectorAt({ storageFolder }: { storageFolder: string }): Promise<ToolConnector> {
  const connect = await import('./toolConnector.ts');
  return new connect.ToolConnector({ home: homedir(), environment: process.env }, storageFolder);
}
