import type { RequestMedia } from '../api/routes/requirements.ts';
import { grouped } from '../base/grouped.ts';
import { allowedImages, commonImageTypes, geminiImageTypes } from '../protocols/bodyRules/imageTypes.ts';
import { readableDocuments } from '../protocols/bodyRules/modelRules.ts';
import type { Plan } from '../api/receipt.ts';
import type { ResolvedTarget } from './routeTable.ts';

/**
 * The targets that read what the request holds, where there are any: the others would get it named in words only, and are left out with the
 * reason. Where no target reads it, all remain.
 */
export function readersOf(able: readonly ResolvedTarget[], media: RequestMedia | undefined, plan: Plan): readonly ResolvedTarget[] {
  if (media === undefined || able.length < 2) return able;
  const missing = able.map(target => unreadable(media, target));
  if (missing.every(reason => reason === undefined) || missing.every(reason => reason !== undefined)) return able;
  return able.filter((target, index) => {
    const reason = missing[index];
    if (reason !== undefined) plan.excluded.push({ target: target.planned.target, reason });
    return reason === undefined;
  });
}

/** Why a target cannot read what the request holds; undefined where nothing known speaks against it. */
function unreadable({ imageTypes, pdf, longestImage = 0 }: RequestMedia, { endpoint, planned: { upstreamModel } }: ResolvedTarget): string | undefined {
  const place = { dialect: endpoint.provider.dialect, model: upstreamModel };
  const { protocol } = endpoint;
  const none = protocol === 'openai-responses' ? place.dialect.plainItems === true : protocol !== 'gemini' && readableDocuments(place) === false;
  if (pdf && none) return 'reads no PDF, and the request has one';
  const longest = protocol === 'anthropic-messages' ? place.dialect.maxImageLength ?? Infinity : Infinity;
  if (longestImage > longest) return `reads no image above ${grouped(longest)} characters, and the request has one of ${grouped(longestImage)}`;
  const allowed = protocol === 'gemini' ? geminiImageTypes : protocol === 'anthropic-messages' ? commonImageTypes : allowedImages(place);
  const type = allowed === undefined ? undefined : imageTypes.find(name => !allowed.has(name));
  return type === undefined ? undefined : `reads no ${type}, and the request has one`;
}
