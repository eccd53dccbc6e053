import { workKinds } from '../purpose.ts';

/** What an agent is told of a tool. English: it is the same for every agent. */
export interface AgentTool {
  readonly title: string;
  /** For the model that decides whether to call it. */
  readonly description: string;
  /** JSON Schemas of its arguments, by name. */
  readonly properties: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

export const spendRanges = ['today', '7d', '30d', 'month'] as const;
export const spendGroupings = ['endpoint', 'model', 'tool', 'workspace', 'day'] as const;

/**
 * The tools for agents, by name: those of the Model Context Protocol and those that the extension gives the editor's chat. All of
 * them read and change nothing. package.json has them too; `npm run settings` writes them there.
 */
export const agentTools = {
  waybill_spend: {
    title: 'Spend',
    description: 'What AI requests cost in a range of time, in total and by endpoint, model, tool, workspace or day.',
    properties: {
      range: { type: 'string', enum: spendRanges, default: 'today', description: 'Local days up to now; month: this calendar month.' },
      by: { type: 'string', enum: spendGroupings, default: 'model' },
    },
  },
  waybill_health: {
    title: 'Health of Providers',
    description: 'Whether each endpoint, route and model can answer now and, where not, why and until when.',
    properties: {},
  },
  waybill_remaining: {
    title: 'Money Left',
    description: 'What is left of each budget, spend of today, the caps in US dollars that hold for requests of each route, and what the last request had left of them.',
    properties: {},
  },
  waybill_why: {
    title: 'Why a Request Went Where It Went',
    description: 'Why the last request (or the last failed one, the last of a tool or conversation, or one by its id) went where it went or failed: one sentence, its attempts, times and cost. Nothing of a prompt is shown.',
    properties: {
      request: { type: 'string', description: 'Id of a request, such as wb_…; absent: the last one.' },
      failed: { type: 'boolean', default: false, description: 'The last one that failed.' },
      tool: { type: 'string', description: 'The last one of this tool, such as claude-code or vscode-chat.' },
      conversation: { type: 'string', description: 'The last one of this conversation.' },
    },
  },
  waybill_suggest: {
    title: 'Suggest a Route',
    description: 'For a task, what each route and model that can answer now is expected to cost, the cheapest first, and where routes with rules for kinds of work would send it. A suggestion only: nothing is sent, changed or kept.',
    properties: {
      task: { type: 'string', description: 'The task in a sentence or two, by which its kind of work is judged.' },
      kind: { type: 'string', enum: Object.keys(workKinds), description: 'The kind of work, where it is known better than the task tells.' },
      inputTokens: { type: 'integer', minimum: 1, default: 2000 },
      outputTokens: { type: 'integer', minimum: 1, default: 800 },
      tools: { type: 'boolean', default: false, description: 'The request has tools.' },
      images: { type: 'boolean', default: false, description: 'The request has images.' },
    },
    required: ['task'],
  },
} as const satisfies Readonly<Record<string, AgentTool>>;

export type AgentToolName = keyof typeof agentTools;

/** The JSON Schema of a tool's arguments: an object without others than those. */
export function inputSchemaOf({ properties, required }: AgentTool): object {
  return { type: 'object', properties, additionalProperties: false, ...(required === undefined ? {} : { required }) };
}
