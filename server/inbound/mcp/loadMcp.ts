import type * as Mcp from './mcpServer.ts';
import type * as Tools from './mcpTools.ts';

/** The part of the server that speaks the Model Context Protocol: it is loaded when an agent first asks. */
export function loadMcp(): Promise<typeof Mcp> {
  return import('./mcpServer.ts');
}

/** The tools alone, of the same part: for agents that ask in another way. */
export function loadAgentTools(): Promise<typeof Tools> {
  return import('./mcpTools.ts');
}
