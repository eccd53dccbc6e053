import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { currentLanguage, textLanguage } from '../../../server/api/localization/localization.ts';
import { textsElement } from './pageTexts.ts';
import type { WebviewPage } from './webviewPages.ts';

/** Options every webview of Waybill has: scripts from the bundle, files only from dist/ and media/. */
export function webviewOptions(extensionUri: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'dist'), vscode.Uri.joinPath(extensionUri, 'media')] };
}

/**
 * The document of a page: a strict content security policy, one stylesheet, one script. Everything shown comes
 * later as messages and is set as text, never as HTML.
 */
export function webviewHtml(webview: vscode.Webview, extensionUri: vscode.Uri, page: WebviewPage, title: string): string {
  const nonce = randomBytes(18).toString('base64url');
  const script = webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, 'dist', 'webview.js')).toString();
  const style = webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, 'media', 'webview.css')).toString();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return [
    '<!DOCTYPE html>',
    `<html lang="${textLanguage()}" data-language="${currentLanguage()}">`,
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<link rel="stylesheet" href="${style}">`,
    `<title>${escaped(title)}</title>`,
    '</head>',
    `<body data-page="${page}">`,
    '<main></main>',
    ...textsElement(vscode.l10n.bundle),
    `<script nonce="${nonce}" src="${script}"></script>`,
    '</body>',
    '</html>',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
