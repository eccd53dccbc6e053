import type * as Part from './monitoringPart.ts';

/** The part of the server that measures for others: it is loaded when the configuration switches some of it on. */
export function loadMonitoring(): Promise<typeof Part> {
  return import('./monitoringPart.ts');
}
