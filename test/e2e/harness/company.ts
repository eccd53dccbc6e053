import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import type { SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { selfSignedCertificate } from '../../../server/sandbox/selfSignedCertificate.ts';
import { startHttpProxy } from '../../integration/support/outboundProxy.ts';
import type { OutboundProxy } from '../../integration/support/outboundProxy.ts';

const login = 'worker:proxy-pass-7d2c41';

/** The network of a company: a provider that only its proxy reaches, which wants a login and reads TLS with an authority of its own. */
export class Company {
  /** The provider's host, which has no address. */
  readonly host = 'llm.company.internal';
  readonly authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  /** What must be seen nowhere. */
  readonly secrets = [login.split(':')[1] ?? '', Buffer.from(login).toString('base64')];
  readonly #folder: string;
  readonly #provider: SandboxProvider;
  readonly #proxy: OutboundProxy;

  private constructor(folder: string, provider: SandboxProvider, proxy: OutboundProxy) {
    this.#folder = folder;
    this.#provider = provider;
    this.#proxy = proxy;
    proxy.hosts.set(this.host, Number(new URL(provider.url).port));
  }

  static async found(): Promise<Company> {
    const folder = mkdtempSync(path.join(tmpdir(), 'waybill-company-'));
    const authority = { name: 'Company Root', ...selfSignedCertificate('Company Root') };
    writeFileSync(path.join(folder, 'authority.pem'), authority.cert);
    const provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'inside', tls: selfSignedCertificate('llm.company.internal') });
    return new Company(folder, provider, await startHttpProxy({ login, inspects: authority }));
  }

  /** The store of the system's certificates, as OpenSSL finds it: the authority is in there, and no other one. */
  get environment(): Record<string, string> {
    return { SSL_CERT_FILE: path.join(this.#folder, 'authority.pem') };
  }

  get proxyUrl(): string {
    return `http://${this.#proxy.address}`;
  }

  /** What the proxy was asked for and what it read, by whatever program. */
  get asked(): string[] {
    return this.#proxy.asked;
  }

  /** Settings of an endpoint at the provider. */
  get endpoint(): object {
    return { provider: 'sandbox', baseUrl: this.#provider.url.replace(/^https:\/\/[^/]+/, `https://${this.host}`), probe: { enabled: false }, models: { m: {} } };
  }

  async close(): Promise<void> {
    await Promise.all([this.#provider.close(), this.#proxy.close()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
