import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BillColumns } from '../../../../server/api/bill.ts';
import { generationRecords } from '../../../../server/pricing/bills/apiBills.ts';
import { BillProblem, type BillItem } from '../../../../server/pricing/bills/billItem.ts';
import { csvBill } from '../../../../server/pricing/bills/csvBill.ts';
import { exactUsd, microUsdOf } from '../../../../server/pricing/bills/usd.ts';

const shown = (items: readonly BillItem[]): unknown[] => items.map(({ day, model, what, exactUsd: exact }) => [day, model ?? what, exact === undefined ? undefined : microUsdOf(exact)]);

describe('an amount of a bill', () => {
  it('is exact, whatever its form', () => {
    const cases: [string, number | undefined, number?][] = [
      ['0.06', 60_000], ['1e-7', 0], ['5e-7', 1], ['0.0000015', 2], ['-0.25', -250_000], ['$1,234.56', 1_234_560_000], ['-$2.00', -2_000_000], ['.5', 500_000],
      ['123.456', 1_234_560, 2], ['0.1', 1_000, 2], ['12345678', 12_345_678_000_000],
      ['', undefined], ['1.2.3', undefined], ['0,12', undefined], ['1,23', undefined], ['12 EUR', undefined], ['NaN', undefined], ['Infinity', undefined],
    ];
    for (const [text, microUsd, shift] of cases) {
      const exact = exactUsd(text, shift);
      assert.equal(exact === undefined ? undefined : microUsdOf(exact), microUsd, text);
    }
  });

  it('does not lose what many small lines add up to', () => {
    let sum = 0n;
    for (let line = 0; line < 10_000; line += 1) sum += exactUsd('0.0000004') ?? 0n;
    assert.equal(microUsdOf(sum), 4_000);
  });
});

describe('a bill as a CSV file', () => {
  it('is read by the names that the providers\' consoles give the columns', () => {
    assert.deepEqual(shown(csvBill('usage_date_utc,model,workspace,token_type,cost_usd\n2026-11-20,Claude Sonnet 4.6,Default,input,0.105\n')), [['2026-11-20', 'Claude Sonnet 4.6', 105_000]]);
    assert.deepEqual(shown(csvBill('start_time,end_time,amount_value,amount_currency,line_item\n1795132800,1795219200,0.06,usd,"gpt-4.1-2025-04-14, cached input"\n1795132800,,0.01,usd,web search tool calls\n')),
      [['2026-11-20', 'gpt-4.1-2025-04-14', 60_000], ['2026-11-20', 'web search tool calls', 10_000]]);
    assert.deepEqual(shown(csvBill('generation_id,created_at,cost_total,model_permaslug\r\ngen-1,2026-11-20 23:30:00.123,0.0025,openai/gpt-5\r\n')), [['2026-11-20', 'openai/gpt-5', 2_500]]);
  });

  it('may have other separators, quotes over lines, a byte order mark, and empty lines', () => {
    assert.deepEqual(shown(csvBill('\uFEFFDate;Model;Tokens;Cost (USD)\n"2026-11-20";"a ""b"";\nc";9;"1,000.5"\n\n2026-11-21;d;9;\n')), [['2026-11-20', 'a "b";\nc', 1_000_500_000], ['2026-11-21', 'd', 0]]);
    assert.deepEqual(shown(csvBill('day\tmodel\tspend\n2026-11-20\tm\t-1\n')), [['2026-11-20', 'm', -1_000_000]]);
  });

  it('is read by columns that are named', () => {
    const columns: BillColumns = { day: 'Wann', model: 'was', cost: 'Preis' };
    assert.deepEqual(shown(csvBill('Wann,Was,Preis\n2026-11-20,m,1\n', columns)), [['2026-11-20', 'm', 1_000_000]]);
  });

  it('puts moments with a time zone into the days that are compared', () => {
    const text = 'time,model,cost\n2026-11-20T23:30:00-08:00,m,1\n2026-11-20T23:30:00Z,m,1\n2026-11-20T23:30:00,m,1\n';
    assert.deepEqual(csvBill(text).map(({ day }) => day), ['2026-11-21', '2026-11-20', '2026-11-20']);
    assert.deepEqual(csvBill(text, {}, 3_600_000).map(({ day }) => day), ['2026-11-21', '2026-11-21', '2026-11-20']);
  });

  const wrong: readonly (readonly [string, string, RegExp, string?])[] = [
    ['has no lines', 'date,model,cost\n', /^The file has no lines/],
    ['has one column', 'hello\nworld\n', /only one column/],
    ['has no column for the cost', 'date,model,tokens\n2026-11-20,m,1\n', /no column that is known to hold the cost in US dollars: name it; there are "date", "model", "tokens"\.$/, 'cost'],
    ['has no column for the day', 'when,model,cost\n2026-11-20,m,1\n', /known to hold the day/, 'day'],
    ['has a day that can be read in two ways', 'date,model,cost\n11/12/2026,m,1\n', /^Line 2 has "11\/12\/2026" as its day: write days like/],
    ['has a day that is none', 'date,model,cost\n2026-02-30,m,1\n', /^Line 2 has/],
    ['has an amount that is none', 'date,model,cost\n2026-11-20,m,1\n2026-11-20,"m\nn","0,12"\n', /^Line 3 has "0,12" as its cost/],
    ['is in another currency', 'date,model,cost,currency\n2026-11-20,m,1,EUR\n', /^Line 2 is in "EUR": only US dollars/],
    ['ends inside a quote', 'date,model,cost\n2026-11-20,"m,1\n', /^A quote that begins in line 2 does not end/],
  ];
  for (const [what, text, sentence, missing] of wrong) {
    it(`is refused in one sentence where it ${what}`, () => {
      assert.throws(() => csvBill(text), (error: unknown) => {
        assert.ok(error instanceof BillProblem);
        assert.match(error.message, sentence);
        assert.equal(error.missing, missing);
        assert.equal(error.columns !== undefined, missing !== undefined);
        return true;
      });
    });
  }

  it('takes time linear in its length', () => {
    const text = `date,model,cost\n${'2026-11-20,m,0.000001\n'.repeat(50_000)}`;
    assert.equal(csvBill(text).length, 50_000);
  });
});

describe('records of generations', () => {
  const record = { id: 'gen-1', created_at: '2026-11-20T10:00:00.000Z', model: 'openai/gpt-5', total_cost: 0.00625, native_tokens_prompt: 1000, native_tokens_completion: 500 };
  it('are read one, many, or as they were answered', () => {
    for (const body of [record, [record], { data: record }, { data: [record] }, [{ data: record }]]) {
      assert.deepEqual(generationRecords(body, 0).map(({ day, model, requests, tokens }) => [day, model, requests, tokens]), [['2026-11-20', 'openai/gpt-5', 1, 1500]]);
    }
    assert.throws(() => generationRecords([record, { id: 'gen-2' }], 0), /^BillProblem: Record 2 of the file is no generation of OpenRouter/);
  });
});
