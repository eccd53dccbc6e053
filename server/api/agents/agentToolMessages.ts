import { requestType } from '../messageTypes.ts';

export interface AgentToolParams {
  /** Such as `waybill_spend`. */
  name: string;
  /** Its arguments, as the model gave them. */
  input: object;
}

/** What a tool says to the model. */
export interface AgentToolAnswer {
  text: string;
  /** The text says why there is no result, and what to do. */
  isError?: true | undefined;
}

/** Client -> server, request: runs a tool for an agent of the editor. Cancelled by the request's token. */
export const agentToolRequest = requestType<AgentToolParams, AgentToolAnswer>('waybill/agentTool');
