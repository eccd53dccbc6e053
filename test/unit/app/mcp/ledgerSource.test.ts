import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ledgerSource } from '../../../../server/app/mcp/ledgerSource.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { McpServer } from '../../../../server/inbound/mcp/mcpServer.ts';
import { temporaryFolder } from '../../../integration/support/temporaryFolder.ts';

test('an agent is told that a newer Waybill wrote the ledger', async t => {
  const { folder, remove } = temporaryFolder();
  t.after(remove);
  const database = new DatabaseSync(path.join(folder, 'ledger.db'));
  database.exec('PRAGMA user_version = 9999');
  database.close();
  const failures: unknown[] = [];
  const server = new McpServer({ version: '1', source: ledgerSource(folder, silentLog), failed: error => failures.push(error) });
  const { text } = await server.answer('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"waybill_spend"}}');
  const { result } = JSON.parse(text ?? '') as { result: { isError: boolean; content: { text: string }[] } };
  assert.equal(result.isError, true);
  assert.match(result.content[0]?.text ?? '', /written by a newer Waybill .*update Waybill/);
  assert.deepEqual(failures, []);
});

test('a damaged ledger is not mended without a word', async t => {
  const { folder, remove } = temporaryFolder();
  t.after(remove);
  writeFileSync(path.join(folder, 'ledger.db'), 'no database'.repeat(1_000));
  const said: string[] = [];
  await ledgerSource(folder, { ...silentLog, error: message => { said.push(message); } }).spend({ from: 0, to: 1 });
  assert.match(said.join('\n'), /was moved to .*a new ledger was begun/);
});
