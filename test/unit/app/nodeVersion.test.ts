import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { nodeTooOld } from '../../../server/app/nodeVersion.ts';

const entry = path.join(import.meta.dirname, '..', '..', '..', 'server', 'main.ts');

describe('the version of Node', () => {
  for (const version of ['18.19.0', '20.20.2', '22.12.0']) it(`${version} is refused in one sentence`, () => {
    assert.equal(nodeTooOld(version), `Waybill's server needs Node 22.13 or newer (this is v${version}); \`npm start\` brings its own.`);
  });
  for (const version of ['22.13.0', '22.20.1', '24.0.0', '26.1.0-nightly']) it(`${version} will do`, () => assert.equal(nodeTooOld(version), undefined));

  it('is asked before SQLite is loaded, which an older Node does not have', () => {
    const olderNode = `import { registerHooks } from 'node:module';
      Object.defineProperty(process.versions, 'node', { value: '20.20.2' });
      registerHooks({ resolve(wanted, context, next) {
        if (wanted === 'node:sqlite') throw new Error('ERR_UNKNOWN_BUILTIN_MODULE');
        return next(wanted, context);
      } });`;
    const hook = `data:text/javascript,${encodeURIComponent(olderNode)}`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', hook, entry, 'serve', '--config', 'none.yaml'], { encoding: 'utf8' });
    assert.deepEqual({ status, stdout, stderr }, { status: 1, stdout: '', stderr: `${nodeTooOld('20.20.2') ?? ''}\n` });
  });
});
