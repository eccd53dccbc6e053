import { changeToolAccessRequest, isBounded, toolAccessRequest, type ToolAccessOrder, type ToolAccessResult } from '../../../api/access/tokenAccess.ts';
import { connectedToolsRequest, connectToolRequest, disconnectToolRequest, retryEndpointRequest, type ConnectToolResult } from '../../../api/messages.ts';
import { accessOf } from '../../../router/tokens/tokenBook.ts';
import type { FeatureContext, LspFeature } from './feature.ts';

/** Connecting tools to the local endpoint, each with its own token, and what they may do there. */
export const toolTokensFeature: LspFeature = {
  name: 'toolTokens',
  register(context) {
    const { editor, router, tools, localEndpoint } = context;
    editor.onRequest(connectToolRequest, ({ tool }) => connectTool(context, tool));
    editor.onRequest(disconnectToolRequest, ({ tool }) => {
      const token = tools.tokenOf(tool);
      tools.disconnect(tool);
      router.tokens.book.toolEnded(tool, token, true);
      if (token !== undefined) router.log.info(`The token of the tool ${tool} was revoked.`);
      return null;
    });
    editor.onRequest(connectedToolsRequest, () => tools.names());
    editor.onRequest(retryEndpointRequest, () => localEndpoint.check());
    editor.onRequest(toolAccessRequest, () => {
      const { book } = router.tokens;
      book.refresh();
      const lost = tools.names().filter(tool => tools.bounded.has(tool) && book.of(tool) === undefined);
      return [...[...book.all()].filter(({ kind }) => kind === 'tool').map(accessOf), ...lost.map(id => ({ id, routes: [], models: [] }))];
    });
    editor.onRequest(changeToolAccessRequest, order => changeAccess(context, order));
    return undefined;
  },
};

/** A token is given out only for an address at which a Waybill has just been found. */
async function connectTool({ router, tools, localEndpoint }: FeatureContext, tool: string): Promise<ConnectToolResult> {
  const { state, url, message } = await localEndpoint.check();
  if (url === undefined && state !== 'off') throw new Error(message ?? 'The local endpoint is not open yet; try again in a moment.');
  const known = tools.names().includes(tool);
  const token = tools.connect(tool);
  router.tokens.book.toolConnected(tool, token);
  router.log.info(`The tool ${tool} ${known ? 'asked for its token' : 'got a token of its own'}.`);
  return { token, url };
}

/** The mark of bounds is written before them and taken away after them: where only one of the two is there, the tool is let in for nothing more. */
function changeAccess({ router, tools }: FeatureContext, order: ToolAccessOrder): ToolAccessResult {
  const { book } = router.tokens;
  const { tool } = order;
  const token = tools.tokenOf(tool);
  if (token === undefined) return { refused: `${tool} is not connected: "Waybill: Connect a Tool…" connects it.` };
  if (order.action === 'revoke') {
    book.toolEnded(tool, token);
    tools.disconnect(tool);
    router.log.info(`The token of the tool ${tool} was revoked.`);
    const ended = book.of(tool);
    return { access: ended === undefined ? null : accessOf(ended) };
  }
  const wasBounded = tools.bounded.has(tool);
  const bounded = isBounded(order.access);
  if (bounded && !wasBounded) tools.setBounded(tool, true);
  const result = book.setTool(tool, order.access, token);
  if ('refused' in result) {
    if (bounded && !wasBounded) tools.setBounded(tool, false);
    return result;
  }
  if (!bounded) tools.setBounded(tool, false);
  router.log.info(`What the tool ${tool} may do was changed.`);
  return result;
}
