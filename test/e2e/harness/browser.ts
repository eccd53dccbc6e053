import { existsSync, mkdirSync } from 'node:fs';
import type { BrowserContext } from 'playwright-core';
import { chromium } from 'playwright-core';

/** Of a window, in pixels. */
export const usualSize = { width: 1280, height: 800 };
const systemBrowsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * A browser with a profile of its own: pages of one browser share the editor's secret storage, as windows of a
 * desktop VS Code do. Takes the machine's Chromium, or the packed one where there is none.
 */
export async function launchBrowser(profileDir: string): Promise<BrowserContext> {
  mkdirSync(profileDir, { recursive: true });
  const browser = await chromium.launchPersistentContext(profileDir, {
    executablePath: await browserExecutable(),
    headless: true,
    viewport: usualSize,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  });
  await browser.addInitScript(keepServiceWorker);
  return browser;
}

/**
 * Every webview registers its service worker anew and asks whether there is a newer one. Under remote control the browser
 * answers that late or never, and the webview stays empty. Here the worker that is in charge is always the newest.
 * Runs in the page, so it can use nothing from this file.
 */
function keepServiceWorker(): void {
  const register = Reflect.get(ServiceWorkerContainer.prototype, 'register') as ServiceWorkerContainer['register'];
  ServiceWorkerContainer.prototype.register = async function registerOnce(script, options) {
    const inCharge = this.controller?.scriptURL === new URL(script, location.href).href ? await this.getRegistration() : undefined;
    return inCharge ?? register.call(this, script, options);
  };
  ServiceWorkerRegistration.prototype.update = async function update() { return this; };
}

async function browserExecutable(): Promise<string> {
  const configured = process.env['WAYBILL_E2E_BROWSER'] ?? systemBrowsers.find((file) => existsSync(file));
  if (configured !== undefined) return configured;
  const packed = await import('@sparticuz/chromium');
  return packed.default.executablePath();
}
