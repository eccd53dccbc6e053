import path from 'node:path';

const e2eDir = path.dirname(import.meta.dirname);

/** Where things are that the tests need; all but the VSIX are made by install.mjs. */
export const places = {
  repository: path.join(e2eDir, '..', '..'),
  vsix: process.env['WAYBILL_E2E_VSIX'] ?? path.join(e2eDir, '..', '..', 'dist', 'waybill.vsix'),
  serverBundle: path.join(e2eDir, '..', '..', 'dist', 'server.js'),
  editorEntry: path.join(e2eDir, '.cache', 'editor', 'code-server', 'out', 'node', 'entry.js'),
  installedExtensions: path.join(e2eDir, '.cache', 'extensions'),
  screenshots: path.join(e2eDir, 'screenshots'),
};
