import type * as Mcp from './mcpServer.ts';

/** The part of the server that speaks the Model Context Protocol: it is loaded when an agent first asks. */
export function loadMcp(): Promise<typeof Mcp> {
  return import('./mcpServer.ts');
}
