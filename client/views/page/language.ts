import { useLanguage } from '../../../server/api/localization/localization.ts';
import { pageTextsId, readPageTexts } from '../shared/pageTexts.ts';

// Tables of texts are made when their files are loaded: the first import of main.ts is this file.
useLanguage(document.documentElement.dataset.language ?? '', readPageTexts(document.getElementById(pageTextsId)?.textContent));
