/** The pages of the one browser bundle. */
export type WebviewPage = 'spend' | 'dashboard' | 'receipt' | 'drillReport' | 'bill';
