import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import type { PeerReport } from './page.ts';

const pageFile = new URL('../../docs/fault-wall.md', import.meta.url);
const peersFolder = new URL('peers/', import.meta.url);

export function readPage(): string {
  return readFileSync(pageFile, 'utf8');
}

export function writePage(page: string): void {
  writeFileSync(pageFile, page);
}

/** The stored reports on other gateways, by name. */
export function readPeers(): PeerReport[] {
  return readdirSync(peersFolder).filter(name => name.endsWith('.json')).sort().map(name => JSON.parse(readFileSync(new URL(name, peersFolder), 'utf8')) as PeerReport);
}

export function writePeer(file: string, report: PeerReport): void {
  mkdirSync(peersFolder, { recursive: true });
  writeFileSync(new URL(`${file}.json`, peersFolder), `${JSON.stringify(report, undefined, 1)}\n`);
}
