import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import wabt from 'wabt';
import { withBaselineWasm } from '../../../server/upstream/baselineWasm.ts';

const loop = `(module (func (export "count") (param $left i32) (result i32) (local $done i32)
  (loop $again
    (local.set $done (i32.add (local.get $done) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $done) (local.get $left))))
  (local.get $done)))`;

/** Compiles the loop in a process of its own, runs it until V8 has optimized it, at most 1,000 or 10,000 times, and reports whether V8 has optimized it. */
async function optimizedAfterUse(baselineOnly: boolean): Promise<boolean> {
  const assembler = await wabt();
  const wasm = Buffer.from(assembler.parseWat('loop.wat', loop).toBinary({}).buffer).toString('base64');
  const helper = pathToFileURL(path.join(import.meta.dirname, '..', '..', '..', 'server', 'upstream', 'baselineWasm.ts')).href;
  const code = `
    import { withBaselineWasm } from '${helper}';
    const bytes = Buffer.from('${wasm}', 'base64');
    const compile = () => new WebAssembly.Module(bytes);
    const module = ${baselineOnly ? 'withBaselineWasm(compile)' : '(withBaselineWasm(() => undefined), compile())'};
    const { count } = new WebAssembly.Instance(module).exports;
    let optimized = false;
    for (let round = 0; round < ${baselineOnly ? 1_000 : 10_000} && !optimized; round++) {
      count(100_000);
      await new Promise(resolve => setTimeout(resolve, 2));
      optimized = %IsTurboFanFunction(count);
    }
    console.log(optimized);`;
  const flags = ['--disable-warning=ExperimentalWarning', '--allow-natives-syntax', '--input-type=module', '--eval', code];
  return execFileSync(process.execPath, flags, { encoding: 'utf8' }).trim() === 'true';
}

describe('work whose WebAssembly stays with the baseline compiler', () => {
  it('gives its result, and throws what it throws', () => {
    assert.equal(withBaselineWasm(() => 7), 7);
    assert.throws(() => withBaselineWasm(() => { throw new Error('mistake'); }), /mistake/);
  });

  it('compiles code that V8 does not optimize after long use; code that is compiled afterwards is optimized as ever', async () => {
    assert.equal(await optimizedAfterUse(true), false);
    assert.equal(await optimizedAfterUse(false), true);
  });
});
