import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NextStep } from '../../../../client/base/errors.ts';
import { toastButtons } from '../../../../client/base/toastButtons.ts';
import { endpointOpen, portNotice, portProblem, portTrouble } from '../../../../client/status/localEndpoint.ts';
import { providerNodes } from '../../../../client/views/providers/providersTreeModel.ts';
import type { HttpStatus } from '../../../../server/api/status.ts';
import { emptyStatus, endpoint } from '../fakes.ts';

const foreign: HttpStatus = { state: 'held-by-another-program', message: 'Port 7717 is taken by another program; choose another port.' };
const url = 'http://127.0.0.1:7717';

describe('the local endpoint whose port another program holds', () => {
  it('has no address to copy, but two ways on', () => {
    assert.throws(() => endpointOpen(foreign), (error: unknown) => {
      assert.ok(error instanceof NextStep);
      assert.match(error.message, /Port 7717 is taken by another program/);
      assert.deepEqual(error.actions.map(({ title }) => title), ['Choose Another Port…', 'Try Again']);
      return true;
    });
  });

  it('gives no address either while it is not known which program holds the port', () => {
    assert.throws(() => endpointOpen({ state: 'starting' }), /try again in a moment/);
    assert.throws(() => endpointOpen({ state: 'off' }), /switched off/);
    assert.throws(() => endpointOpen({ state: 'failed', message: 'It cannot listen; choose another port.' }), NextStep);
    assert.equal(endpointOpen({ state: 'listening', url }).url, url);
    assert.equal(endpointOpen({ state: 'held-by-peer', url }).url, url);
  });

  it('is a row among the providers, with commands of its own', () => {
    const nodes = providerNodes(emptyStatus({ endpoints: [endpoint('north')], http: foreign }), 0);
    assert.deepEqual(nodes.map(({ label, description, context }) => [label, description, context]).at(-1), ['Local endpoint', 'port is taken', 'localEndpoint']);
    assert.match(nodes.at(-1)?.spoken ?? '', /Port 7717/);
    assert.equal(providerNodes(emptyStatus({ endpoints: [endpoint('north')], http: { state: 'held-by-peer', url } }), 0).length, 1);
    assert.deepEqual(providerNodes(emptyStatus({ http: foreign }), 0), [], 'the welcome text stays');
  });

  it('is reported with the tools whose requests go to that program', () => {
    const trouble = portTrouble(foreign) ?? assert.fail();
    assert.equal(portNotice(trouble, foreign.state, []), trouble);
    assert.match(portNotice(trouble, foreign.state, ['codex']), /codex sends its requests and token to that program: connect it again/);
    assert.match(portNotice(trouble, foreign.state, ['codex', 'aider']), /codex, aider send their requests and token to that program/);
    assert.doesNotMatch(portNotice('It cannot listen.', 'failed', ['codex']), /that program/);
  });

  it('can move to another port', () => {
    for (const port of ['1', '7718', '65535']) assert.equal(portProblem(port), undefined, port);
    for (const port of ['', '0', '65536', '77.5', 'x', '-1', '1e3']) assert.notEqual(portProblem(port), undefined, port);
  });
});

describe('a notification', () => {
  it('that is longer than a line has a button, without which the editor cuts it off', () => {
    assert.deepEqual(toastButtons('Short.', []), []);
    assert.deepEqual(toastButtons('north answers and lists 3 models (22 ms); whether the key is good shows with the first request.', []), ['OK']);
    assert.deepEqual(toastButtons('x'.repeat(100), ['Undo']), ['Undo']);
  });
});
