import { connectedToolsRequest, connectToolRequest, disconnectToolRequest, retryEndpointRequest, type ConnectToolResult } from '../../../api/messages.ts';
import type { FeatureContext, LspFeature } from './feature.ts';

/** Connecting tools to the local endpoint, each with its own token. */
export const toolTokensFeature: LspFeature = {
  name: 'toolTokens',
  register(context) {
    const { editor, router, tools, localEndpoint } = context;
    editor.onRequest(connectToolRequest, ({ tool }) => connectTool(context, tool));
    editor.onRequest(disconnectToolRequest, ({ tool }) => {
      const known = tools.names().includes(tool);
      tools.disconnect(tool);
      if (known) router.log.info(`The token of the tool ${tool} was revoked.`);
      return null;
    });
    editor.onRequest(connectedToolsRequest, () => tools.names());
    editor.onRequest(retryEndpointRequest, () => localEndpoint.check());
    return undefined;
  },
};

/** A token is given out only for an address at which a Waybill has just been found. */
async function connectTool({ router, tools, localEndpoint }: FeatureContext, tool: string): Promise<ConnectToolResult> {
  const { state, url, message } = await localEndpoint.check();
  if (url === undefined && state !== 'off') throw new Error(message ?? 'The local endpoint is not open yet; try again in a moment.');
  const known = tools.names().includes(tool);
  const token = tools.connect(tool);
  router.log.info(`The tool ${tool} ${known ? 'asked for its token' : 'got a token of its own'}.`);
  return { token, url };
}
