/** The pages of the one browser bundle. */
export type WebviewPage = 'spend' | 'receipt' | 'drillReport' | 'bill';
