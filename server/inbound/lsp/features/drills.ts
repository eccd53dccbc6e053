import { resilienceReportRequest, startDrillRequest, stopDrillRequest, type StartDrillParams, type StartDrillResult } from '../../../api/drill.ts';
import { WaybillError } from '../../../base/failure.ts';
import type { Router } from '../../../router/router.ts';
import type { LspFeature } from './feature.ts';

/** Fire drills, and the report of what each route survives. */
export const drillsFeature: LspFeature = {
  name: 'drills',
  register({ editor, router }) {
    editor.onRequest(startDrillRequest, params => startDrill(router, params));
    editor.onRequest(stopDrillRequest, ({ id }) => router.drills.stop(id));
    editor.onRequest(resilienceReportRequest, () => router.drills.report());
    return undefined;
  },
};

/** A drill that cannot start is an answer with one sentence, not an error. */
function startDrill(router: Router, params: StartDrillParams): StartDrillResult {
  try {
    return { drill: router.drills.start(params) };
  } catch (error) {
    if (error instanceof WaybillError) return { refused: error.message };
    throw error;
  }
}
