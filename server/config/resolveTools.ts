import type { ToolModelSettings } from '../api/settings.ts';
import { isObject } from '../base/json.ts';
import { suggestion } from './nearest.ts';
import { toolSchema, toolsWithModels } from './schema.ts';
import { schemaProblems } from './schemaProblems.ts';
import type { ConfigPath } from './schemaProblems.ts';

/** What tools get for names of models that they ask for by themselves. A tool with a wrong field is left out and reported. */
export function resolveTools(written: unknown, report: (path: ConfigPath, message: string) => void): Map<string, ToolModelSettings> {
  const tools = new Map<string, ToolModelSettings>();
  if (written === undefined || written === null) return tools;
  if (!isObject(written)) {
    report(['tools'], '"tools" must be a mapping of tools to what they get.');
    return tools;
  }
  for (const [name, settings] of Object.entries(written)) {
    if (!toolsWithModels.some(one => one === name)) {
      report(['tools', name], `Tool "${name}" is left out: it has no names of models of its own that could be given routes${suggestion(name, toolsWithModels, `; "${toolsWithModels[0]}" has.`)}`);
      continue;
    }
    const wrong = schemaProblems(toolSchema, settings);
    for (const { path, text } of wrong) report(['tools', name, ...path], `Tool "${name}" is left out: ${text}`);
    if (wrong.length === 0) tools.set(name, settings as ToolModelSettings);
  }
  return tools;
}
