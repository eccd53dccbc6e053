import './language.ts';
import { showBillPage } from '../bill/page/billPage.ts';
import { showDashboardPage } from '../dashboard/page/dashboardPage.ts';
import { showDrillReportPage } from '../drill/page/drillReportPage.ts';
import { connectHost } from '../shared/page/host.ts';
import type { WebviewPage } from '../shared/webviewPages.ts';
import { showReceiptPage } from '../receipt/page/receiptPage.ts';
import { showSpendPage } from '../spend/page/spendPage.ts';

const pages: Readonly<Record<WebviewPage, (main: Element) => void>> = {
  spend: (main) => showSpendPage(main, connectHost()),
  dashboard: (main) => showDashboardPage(main, connectHost()),
  receipt: (main) => showReceiptPage(main, connectHost()),
  drillReport: (main) => showDrillReportPage(main, connectHost()),
  bill: (main) => showBillPage(main, connectHost()),
};

const main = document.querySelector('main');
const page = document.body.dataset.page;
if (main !== null && page !== undefined && Object.hasOwn(pages, page)) pages[page as WebviewPage](main);
