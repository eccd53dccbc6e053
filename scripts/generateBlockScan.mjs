// Turns server/base/scan/blockScan.wat into the module that blockScan.ts loads.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import loadWabt from 'wabt';

const folder = path.join(import.meta.dirname, '../server/base/scan');

/** The text of blockScanWasm.ts as it follows from blockScan.wat. */
export async function blockScanModule() {
  const wabt = await loadWabt();
  const parsed = wabt.parseWat('blockScan.wat', readFileSync(path.join(folder, 'blockScan.wat'), 'utf8'), { simd: true });
  const bytes = Buffer.from(parsed.toBinary({}).buffer);
  parsed.destroy();
  const lines = bytes.toString('base64').match(/.{1,120}/g).map(line => `  + '${line}'`).join('\n');
  return `/** Generated from blockScan.wat by \`node scripts/generateBlockScan.mjs\`: WebAssembly in base64. */\nexport const blockScanWasm = ''\n${lines};\n`;
}

if (import.meta.main) writeFileSync(path.join(folder, 'blockScanWasm.ts'), await blockScanModule());
