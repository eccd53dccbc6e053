import '../support/vietnamese.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shownModels } from '../../../client/chat/offeredModels.ts';
import { allowedText, budgetFigure, budgetNotes } from '../../../client/base/budgetWording.ts';
import { formatDuration } from '../../../client/base/figures.ts';
import { statusBarContent } from '../../../client/status/statusText.ts';
import { strategyLabels } from '../../../client/settings/policies/ordering.ts';
import { checkResult } from '../../../client/views/providers/checkResult.ts';
import { providerNodes } from '../../../client/views/providers/providersTreeModel.ts';
import { routeLines } from '../../../client/views/routes/routesTreeModel.ts';
import { because, clockText, conditionText, stateText } from '../../../server/api/condition.ts';
import { englishOf, said, shownOf } from '../../../server/api/localization/said.ts';
import type { BudgetStatus } from '../../../server/api/budgets/budgetStatus.ts';
import { nearMessage, reachedMessage } from '../../../server/limits/budgets/budgetTexts.ts';
import { noRouteNotice } from '../../../server/router/incidents/noRouteNotice.ts';
import { emptyStatus, endpoint, offered } from './fakes.ts';

const now = 10_000_000;
const at = (ms: number): string => clockText(now + ms, now, 'up');
const limited = { kind: 'rate-limited', until: now + 60_000, why: '429' } as const;
const budget: BudgetStatus = {
  key: 'tool:claude-code', name: 'daily', per: 'tool', of: 'claude-code', period: 'day', spentMicroUsd: 4_200_000, reservedMicroUsd: 0, limitMicroUsd: 5_000_000, leftMicroUsd: 800_000,
  share: 0.84, state: 'near', isHard: true, resetsAt: now + 3_600_000, resetAt: now,
} as unknown as BudgetStatus;

describe('in a Vietnamese editor', () => {
  it('a condition says what it is, until when, and who answers instead', () => {
    assert.equal(stateText({ condition: limited, instead: ['claude'] }, now), `bị giới hạn tần suất (429), trở lại lúc ${at(60_000)}, đang dùng claude`);
    assert.equal(conditionText({ kind: 'degraded', ...because(said('{0} of {1} up', 1, 3)) }, now), 'suy giảm (1 trên 3 hoạt động)');
    assert.equal(conditionText({ kind: 'paused' }, now), 'tạm dừng đến khi được cho tiếp tục');
  });

  it('the status bar has its tooltip and its spoken text, with counts and money', () => {
    const content = statusBarContent({
      server: 'running', configuredEndpoints: 2, choice: 'both', now,
      status: emptyStatus({ endpoints: [endpoint('north'), endpoint('south', { condition: limited })], todayMicroUsd: 1_370_000, todayEstimated: true }),
    });
    assert.equal(content.text, '$(pulse) 1/2 · ~$1.37');
    assert.equal(content.spoken, 'Waybill: 1 trên 2 nhà cung cấp hoạt động (1 ổn định, 1 bị giới hạn tần suất), hôm nay khoảng 1.37 đô la');
    assert.match(content.tooltip, /^\*\*Waybill\*\* · 1 ổn định, 1 bị giới hạn tần suất · hôm nay \\~\\\$1\.37$/m);
    assert.match(content.tooltip, /^\| nhà cung cấp \| .*trạng thái \| .*token đầu tiên \| .*hôm nay \|$/m);
  });

  it('a row of the Providers view has its state, and its tooltip what was measured', () => {
    const [line] = providerNodes(emptyStatus({ endpoints: [endpoint('north', { condition: limited, firstToken: { p50: 420 }, errorRate: 0.25, todayUnknown: 2, todayMicroUsd: 20_000 })] }), now);
    assert.equal(line?.description, `bị giới hạn tần suất (429), trở lại lúc ${at(60_000)} · $0.0200+`);
    assert.match(line?.tooltip ?? '', /^Lỗi trong 10 phút qua: 25 %$/m);
    assert.match(line?.tooltip ?? '', /^Hôm nay: \$0\.0200\+, chưa gồm 2 lần thử không rõ chi phí$/m);
  });

  it('a row of the Routes view says how the route orders its targets, from tables that are made when files are loaded', () => {
    assert.equal(strategyLabels.cheapest, 'Rẻ nhất');
    const [line] = routeLines({ best: { targets: ['north/m'], strategy: 'cheapest' } }, emptyStatus({ targets: { 'north/m': { condition: { kind: 'down' } } } } as never), now);
    assert.equal(line?.description, 'không đích nào hoạt động · rẻ nhất');
  });

  it('lengths of time and the result of a check are words of the language', () => {
    assert.equal(formatDuration(3_780_000), '1 giờ 3 phút');
    assert.equal(checkResult([{ endpoint: 'north', condition: { kind: 'healthy' } }, { endpoint: 'south', condition: { kind: 'healthy' } }] as never, now).text, 'Cả 2 nhà cung cấp đều hoạt động.');
  });

  it('a model of the picker says through whom it is answered', () => {
    const [model] = shownModels([offered('route:best', { detail: '1/2 up · via north', said: said('{0}/{1} up · via {2}', 1, 2, 'north'), pricing: 'free of charge' })], 'all');
    assert.deepEqual([model?.detail, model?.pricing], ['1/2 hoạt động · qua north', 'miễn phí']);
  });

  it('a budget says what is spent and left, and what a server said of it', () => {
    assert.equal(budgetFigure(budget), '$4.20 trên $5.00 mỗi ngày');
    assert.equal(budgetNotes(budget)[0], 'còn $0.80');
    assert.equal(budgetNotes({ ...budget, resetsAt: new Date(2026, 10, 28).getTime() }).at(-1), 'đến 28 thg 11');
    assert.equal(allowedText({ action: 'allow', budget: budget.key, usd: 5 }, '$5.00 more is allowed of the budget "daily" until 2026-11-28 00:00.', [budget]), 'Ngân sách "daily" được phép thêm $5.00 đến 2026-11-28 00:00.');
    assert.equal(allowedText({ action: 'allow', budget: budget.key }, 'Something else was said.', [budget]), 'Something else was said.');
  });

  it('notices of a server are Vietnamese where they are shown, and English where they are stored', () => {
    const near = nearMessage(budget);
    assert.match(shownOf(near), /^Đã dùng 84 % của ngân sách "daily" của công cụ claude-code: \$4\.20 trên \$5\.00 mỗi ngày\. Ngân sách bắt đầu lại lúc /);
    assert.match(englishOf(near), /^84 % of the budget "daily" of tool claude-code is used: \$4\.20 of \$5\.00 a day\. It begins anew at /);
    assert.match(shownOf(reachedMessage(budget)), /^Ngân sách "daily" của công cụ claude-code đã chạm mức: /);
    const nothing = noRouteNotice('rate-limit', [{ endpoint: 'north', condition: limited }, { endpoint: 'south', condition: { kind: 'down' } }], now);
    assert.equal(nothing?.message, `No provider can answer a request now. north: rate-limited (429), back at ${at(60_000)}; south: down. Wait, resume or repair one, or add another provider.`);
    assert.ok(nothing?.said !== undefined);
    assert.equal(shownOf(nothing.said), `Lúc này không nhà cung cấp nào trả lời được yêu cầu. north: bị giới hạn tần suất (429), trở lại lúc ${at(60_000)}; south: ngừng hoạt động. Hãy chờ, cho tiếp tục hoặc khắc phục một nhà cung cấp, hoặc thêm nhà cung cấp khác.`);
  });
});
