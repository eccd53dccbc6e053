import { agentTools, inputSchemaOf } from '../server/api/agents/agentTools.ts';

/** Icons of the tools in the editor's lists. */
const icons = { waybill_spend: '$(graph)', waybill_health: '$(pulse)', waybill_remaining: '$(credit-card)', waybill_why: '$(question)', waybill_suggest: '$(lightbulb)' };

/**
 * The tools for agents as package.json contributes them. Their names and descriptions for people are texts by key; what the model reads
 * is English, as it is over the Model Context Protocol.
 */
export function agentToolEntries() {
  return Object.entries(agentTools).map(([name, tool]) => ({
    name,
    toolReferenceName: name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
    canBeReferencedInPrompt: true,
    displayName: `%agentTool.${name}.title%`,
    userDescription: `%agentTool.${name}.description%`,
    modelDescription: tool.description,
    icon: icons[name],
    when: 'config.waybill.agentTools.enabled',
    inputSchema: inputSchemaOf(tool),
  }));
}
