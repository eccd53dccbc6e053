import { readFileSync } from 'node:fs';
import { useLanguage } from '../../../server/api/localization/localization.ts';

/** Sets Vietnamese for this test process. A test file imports it first, as an extension host does: tables of texts are then in that language. */
useLanguage('vi', JSON.parse(readFileSync(new URL('../../../l10n/bundle.l10n.vi.json', import.meta.url), 'utf8')) as Record<string, string>);
