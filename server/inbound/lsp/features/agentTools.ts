import { agentToolRequest, type AgentToolAnswer, type AgentToolParams } from '../../../api/agents/agentToolMessages.ts';
import { isObject } from '../../../base/json.ts';
import { loadAgentTools } from '../../mcp/loadMcp.ts';
import { routerSource } from '../../mcp/routerSource.ts';
import type { FeatureContext, LspFeature } from './feature.ts';
import { untilCancelled } from './reports.ts';

/** The tools for agents, as the editor's chat asks for them. */
export const agentToolsFeature: LspFeature = {
  name: 'agent tools',
  register(context) {
    context.editor.onRequest(agentToolRequest, (params, token) => untilCancelled(token, signal => answer(context, params, signal)));
    return undefined;
  },
};

async function answer({ router, localEndpoint }: FeatureContext, { name, input }: AgentToolParams, signal: AbortSignal): Promise<AgentToolAnswer> {
  const { callTool } = await loadAgentTools();
  try {
    const result = await callTool(routerSource(router, () => localEndpoint.status()), name, isObject(input) ? input : {}, signal);
    if (result === undefined) return { text: `There is no tool "${name.slice(0, 100)}".`, isError: true };
    const text = result.content.map(part => part.text).join('\n');
    return result.isError === true ? { text, isError: true } : { text };
  } catch (error) {
    router.log.error('A tool for agents failed', error);
    return { text: 'Waybill failed at this tool; its log says more.', isError: true };
  }
}
