/** The pages of the one browser bundle. */
export const webviewPages = ['spend', 'dashboard', 'receipt', 'drillReport', 'bill'] as const;
export type WebviewPage = (typeof webviewPages)[number];
