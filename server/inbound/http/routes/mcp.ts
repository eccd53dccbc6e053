import { programVersion } from '../../../base/processIdentity.ts';
import { loadMcp } from '../../mcp/loadMcp.ts';
import { routerSource } from '../../mcp/routerSource.ts';
import type { HttpRoute } from './httpRoute.ts';

const noWords: ReadonlySet<string> = new Set();

/**
 * The tools of Waybill for agents, over the Model Context Protocol (Streamable HTTP). Each message is answered by itself as JSON:
 * there is no session and no stream of the server's own.
 */
export const mcpRoute: HttpRoute = {
  methods: ['POST'], path: '/mcp', access: 'tool',
  handle: (call, { router, localEndpoint }) => call.readBody(noWords, async ({ bytes }) => {
    const { McpServer, protocolVersions } = await loadMcp();
    const version = call.request.headers['mcp-protocol-version'];
    if (version !== undefined && !(protocolVersions as readonly unknown[]).includes(version)) {
      return call.refuse(400, `This revision of the Model Context Protocol is not spoken here: use one of ${protocolVersions.join(', ')}.`);
    }
    const aborter = new AbortController();
    const gone = (): void => aborter.abort();
    call.response.once('close', gone);
    const server = new McpServer({
      version: programVersion,
      failed: error => { router.log.error('A tool of the Model Context Protocol failed', error); },
      source: routerSource(router, localEndpoint),
    });
    const { text, invalid } = await server.answer(bytes.toString('utf8'), aborter.signal);
    call.response.off('close', gone);
    if (text === undefined) return call.text(202, '', 'application/json');
    return call.text(invalid ? 400 : 200, text, 'application/json');
  }),
};
