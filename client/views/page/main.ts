import { showDrillReportPage } from '../drill/page/drillReportPage.ts';
import { connectHost } from '../shared/page/host.ts';
import { showReceiptPage } from '../receipt/page/receiptPage.ts';
import { showSpendPage } from '../spend/page/spendPage.ts';

const main = document.querySelector('main');
const page = document.body.dataset.page;
if (main !== null && page === 'spend') showSpendPage(main, connectHost());
if (main !== null && page === 'receipt') showReceiptPage(main, connectHost());
if (main !== null && page === 'drillReport') showDrillReportPage(main, connectHost());
