import * as vscode from 'vscode';
import { useLanguage } from '../../server/api/localization/localization.ts';

// Tables of texts are made when their files are loaded: the first import of client/extension.ts is this file.
useLanguage(vscode.env.language, vscode.l10n.bundle);
