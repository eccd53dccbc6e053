/** `npm run build [-- --analyze]`, `npm run watch`: the three bundles that are shipped. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onProjectNode, root } from './ensureInstalled.mjs';
import { kilobytes, table } from './terminal.mjs';

export const dist = path.join(root, 'dist');

/** What differs between the bundles; `{}` where a bundle needs nothing of its own. */
function bundles() {
  const onNode = { platform: 'node', format: 'cjs', target: 'node22' };
  return [
    { name: 'client.js', entry: 'client/extension.ts', options: { ...onNode, external: ['vscode'] } },
    { name: 'server.js', entry: 'server/main.ts', options: onNode },
    { name: 'webview.js', entry: 'client/webview/main.ts', options: { platform: 'browser', format: 'iife', target: 'es2022' } },
  ];
}

function optionsFor({ name, entry, options }, release) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return {
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: path.join('dist', name),
    bundle: true,
    minify: release,
    sourcemap: release ? false : 'linked',
    legalComments: 'none',
    keepNames: false,
    metafile: true,
    logLevel: 'warning',
    // ES modules first: the CommonJS builds of some packages cannot be shaken.
    mainFields: options.platform === 'browser' ? ['browser', 'module', 'main'] : ['module', 'main'],
    define: {
      'process.env.SWITCHYARD_VERSION': JSON.stringify(version),
      ...(options.platform === 'browser' ? { 'process.env.NODE_ENV': '"production"' } : {}),
    },
    ...options,
  };
}

/**
 * Builds all bundles for release.
 * @returns {Promise<{ name: string, bytes: number, metafile: import('esbuild').Metafile }[]>}
 */
export async function build() {
  const esbuild = await import('esbuild');
  for (const { name } of bundles()) rmSync(path.join(dist, `${name}.map`), { force: true });
  return Promise.all(bundles().map(async (bundle) => {
    const { metafile } = await esbuild.build(optionsFor(bundle, true));
    return { name: bundle.name, bytes: statSync(path.join(dist, bundle.name)).size, metafile };
  }));
}

export function printSizes(built) {
  console.log(table(built.map(({ name, bytes }) => [`dist/${name}`, kilobytes(bytes)])).join('\n'));
}

async function watch() {
  const esbuild = await import('esbuild');
  const report = { name: 'report', setup: (context) => context.onEnd(({ errors }) => {
    console.log(`${new Date().toLocaleTimeString()} ${path.basename(context.initialOptions.outfile)}: ${errors.length === 0 ? 'built' : `${errors.length} errors`}`);
  }) };
  const contexts = await Promise.all(bundles().map((bundle) => esbuild.context({ ...optionsFor(bundle, false), plugins: [report] })));
  await Promise.all(contexts.map((context) => context.watch()));
  console.log('Watching; Ctrl-C ends it.');
}

/** Bytes of each package (and of our own code) in a bundle, largest first. */
function packageSizes(metafile) {
  const sizes = new Map();
  for (const output of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
      const owner = packageOf(file) ?? 'switchyard';
      sizes.set(owner, (sizes.get(owner) ?? 0) + bytesInOutput);
    }
  }
  return [...sizes].sort((left, right) => right[1] - left[1]);
}

/** The npm package a bundled file belongs to; undefined for our own. */
export function packageOf(file) {
  return /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!(?:.*\/)?node_modules\/)/.exec(file)?.[1];
}

async function main() {
  const args = process.argv.slice(2);
  if (args.includes('--watch')) return watch();
  const built = await build();
  printSizes(built);
  if (!args.includes('--analyze')) return;
  const esbuild = await import('esbuild');
  for (const { name, metafile } of built) {
    console.log(`\n${name} by package`);
    console.log(table(packageSizes(metafile).map(([owner, bytes]) => [`  ${owner}`, kilobytes(bytes)])).join('\n'));
    console.log(await esbuild.analyzeMetafile(metafile));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await onProjectNode(main);
