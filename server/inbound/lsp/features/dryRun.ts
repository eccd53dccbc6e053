import type { CancellationToken } from 'vscode-languageserver';
import { dryRunRequest, mostDryRunDays, type DryRunParams, type DryRunResult } from '../../../api/rules/dryRun.ts';
import { WaybillError } from '../../../base/failure.ts';
import { resolveOptions } from '../resolveOptions.ts';
import type { FeatureContext, LspFeature } from './feature.ts';

/** Applies a file that is edited to the recorded requests, before it is saved. */
export const dryRunFeature: LspFeature = {
  name: 'dryRun',
  register(context) {
    context.editor.onRequest(dryRunRequest, (params, token) => dryRun(context, params, token));
    return undefined;
  },
};

async function dryRun({ router: { rules } }: FeatureContext, { text, file, days = 1 }: DryRunParams, token: CancellationToken): Promise<DryRunResult> {
  if (!Number.isFinite(days) || days <= 0 || days > mostDryRunDays) return { refused: `A dry run looks at 1 to ${mostDryRunDays} days.` };
  const { readDraft, inOrder } = await import('../../../config/language/rulesLanguage.ts');
  const { readable, config, problems } = readDraft(text, file, process.env, { catalog: resolveOptions.catalog, supportedProtocols: resolveOptions.supportedProtocols }, rules.used, rules.settings);
  const [first] = inOrder(problems);
  if (!readable) return { refused: rules.redact(`The file cannot be tried: ${first?.line === undefined ? '' : `line ${first.line}: `}${first?.message ?? 'it holds no configuration.'}`) };
  const aborter = new AbortController();
  const registration = token.onCancellationRequested(() => aborter.abort());
  try {
    return { report: await rules.dryRun(config, days, problems, aborter.signal) };
  } catch (error) {
    if (error instanceof WaybillError) return { refused: error.message };
    throw error;
  } finally {
    registration.dispose();
  }
}
