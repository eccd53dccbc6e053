import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import wabt from 'wabt';
import { optimizedLate } from '../../../server/upstream/lateOptimization.ts';

const loop = `(module (func (export "count") (param $left i32) (result i32) (local $done i32)
  (loop $again
    (local.set $done (i32.add (local.get $done) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $done) (local.get $left))))
  (local.get $done)))`;

/** Compiles the loop in a process of its own, runs some 100 MB of code there, and reports whether V8 has optimized it. */
async function optimizedAfterUse(compiledLate: boolean): Promise<boolean> {
  const assembler = await wabt();
  const wasm = Buffer.from(assembler.parseWat('loop.wat', loop).toBinary({}).buffer).toString('base64');
  const helper = pathToFileURL(path.join(import.meta.dirname, '..', '..', '..', 'server', 'upstream', 'lateOptimization.ts')).href;
  const code = `
    import { optimizedLate } from '${helper}';
    const bytes = Buffer.from('${wasm}', 'base64');
    const compile = () => new WebAssembly.Module(bytes);
    const module = ${compiledLate ? 'optimizedLate(compile)' : '(optimizedLate(() => undefined), compile())'};
    const { count } = new WebAssembly.Instance(module).exports;
    let optimized = false;
    for (let round = 0; round < ${compiledLate ? 100 : 10_000} && !optimized; round++) {
      count(100_000);
      await new Promise(resolve => setTimeout(resolve, 2));
      optimized = %IsTurboFanFunction(count);
    }
    console.log(optimized);`;
  const flags = ['--disable-warning=ExperimentalWarning', '--allow-natives-syntax', '--input-type=module', '--eval', code];
  return execFileSync(process.execPath, flags, { encoding: 'utf8' }).trim() === 'true';
}

describe('work whose WebAssembly is optimized late', () => {
  it('gives its result, and throws what it throws', () => {
    assert.equal(optimizedLate(() => 7), 7);
    assert.throws(() => optimizedLate(() => { throw new Error('mistake'); }), /mistake/);
  });

  it('compiles code that V8 does not optimize after some use; code that is compiled afterwards is optimized as ever', async () => {
    assert.equal(await optimizedAfterUse(true), false);
    assert.equal(await optimizedAfterUse(false), true);
  });
});
