import { showDrillReportPage } from './drillReportPage.ts';
import { connectHost } from './host.ts';
import { showReceiptPage } from './receiptPage.ts';
import { showSpendPage } from './spendPage.ts';

const main = document.querySelector('main');
const page = document.body.dataset.page;
if (main !== null && page === 'spend') showSpendPage(main, connectHost());
if (main !== null && page === 'receipt') showReceiptPage(main, connectHost());
if (main !== null && page === 'drillReport') showDrillReportPage(main, connectHost());
