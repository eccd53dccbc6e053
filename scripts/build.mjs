/** `npm run build [-- --analyze]`, `npm run watch`: the three bundles that are shipped. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onProjectNode, root } from './ensureInstalled.mjs';
import { kilobytes, table } from './terminal.mjs';

export const dist = path.join(root, 'dist');

/**
 * What client and server load only when they need it, each in a file of its own under dist/lib: a file costs start-up time and
 * memory by its length, whether it is run or not. Each is imported at one place, and gives plain data or functions, so
 * that nothing depends on two copies of a class being one. What is `shared` of a part is the same for all bundles, wherever
 * it is imported: the language of the process and its texts, and the classes of errors.
 */
const laterParts = [
  { file: 'server.js', modules: ['server/app/modes.ts'] },
  { file: 'configuration.js', modules: ['server/config/resolve.ts', 'server/config/yamlConfig.ts', 'server/config/language/rulesLanguage.ts', 'server/config/monitoring/resolveMonitoring.ts'] },
  { file: 'l10n.js', modules: ['@vscode/l10n', 'server/api/localization/localization.ts'], shared: ['t', 'config', 'useLanguage', 'currentLanguage', 'textLanguage'] },
  { file: 'errors.js', modules: ['client/base/errors.ts'], shared: ['UserError', 'NextStep', 'messageOf', 'plainError'] },
  { file: 'prices.js', modules: ['@pydantic/genai-prices'] },
  { file: 'proxies.js', modules: ['server/upstream/proxies/tunnel.ts'] },
  { file: 'googleLogin.js', modules: ['google-auth-library'] },
  { file: 'aws.js', modules: ['server/upstream/aws/awsParts.ts'] },
  { file: 'entra.js', modules: ['server/upstream/entra/entraTokens.ts'] },
  { file: 'languageServer.js', modules: ['vscode-languageserver/node'] },
  { file: 'dashboard.js', modules: ['server/ledger/sqlite/dashboard/dashboardWorker.ts'] },
  { file: 'replicas.js', modules: ['server/router/replicas/replicasPart.ts'] },
  { file: 'monitoring.js', modules: ['server/router/monitoring/monitoringPart.ts'] },
  { file: 'postgres.js', modules: ['server/ledger/postgres/postgresLedger.ts'] },
  { file: 'redis.js', modules: ['server/state/redis/redisDriver.ts', 'server/limits/replicas/replicaCounts.ts', 'server/exchange/cache/replicas/replicaAnswers.ts'] },
  { file: 'mcp.js', modules: ['server/inbound/mcp/mcpServer.ts', 'server/inbound/mcp/mcpTools.ts'] },
  { file: 'sandbox.js', modules: ['server/sandbox/runSandbox.ts', 'server/sandbox/simulatedProviders.ts'] },
  { file: 'doctor.js', modules: ['server/app/doctor.ts'] },
  { file: 'connection.js', modules: ['client/server/languageClient.ts'] },
  { file: 'commands.js', modules: ['client/commandHandlers.ts'] },
  { file: 'commandLine.js', modules: ['server/app/commandLine/parse.ts', 'server/app/commands/asking.ts'] },
  { file: 'tools.js', modules: ['client/connect/toolConnector.ts', 'client/connect/doctor/doctor.ts', 'client/connect/keys/findKeys.ts'] },
];

function isOurs(module) {
  return module.startsWith('server/') || module.startsWith('client/');
}

/**
 * Turns imports of parts into requires of their files.
 * @param folder where those are, seen from the bundle @param parts the parts; what else is imported stays in the bundle
 */
const splitParts = (folder, parts) => ({
  name: 'later-parts',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path: wanted, kind, resolveDir }) => {
      if (kind === 'entry-point' || kind === 'require-call') return undefined;
      const own = wanted.startsWith('.') ? path.relative(root, path.resolve(resolveDir, wanted)).replaceAll(path.sep, '/') : wanted;
      const part = parts.find(({ modules }) => modules.includes(own));
      // Our own modules are split where they are imported on demand; a package, and what is shared, wherever it is imported.
      if (part === undefined || (isOurs(own) && part.shared === undefined && kind !== 'dynamic-import')) return undefined;
      const file = `${folder}/${part.file}`;
      return part.shared === undefined ? { path: file, external: true } : { path: file, namespace: 'shared', pluginData: part.shared };
    });
    build.onLoad({ filter: /./, namespace: 'shared' }, ({ path: file, pluginData: names }) => ({
      contents: `export const { ${names.join(', ')} } = require(${JSON.stringify(file)});`, resolveDir: root,
    }));
    build.onResolve({ filter: /./, namespace: 'shared' }, ({ path: file }) => ({ path: file, external: true }));
  },
});

/**
 * The editor's module is asked for once in a bundle. esbuild otherwise does so for each file that imports it and copies its
 * properties, some hundred, each time: a tenth of what loading the extension takes.
 */
const vscodeOnce = {
  name: 'vscode-once',
  setup(build) {
    build.onLoad({ filter: /[\\/]client[\\/].*\.ts$/ }, ({ path: file }) => ({
      loader: 'ts', contents: readFileSync(file, 'utf8').replace(/^import \* as vscode from 'vscode';$/m, 'import vscode from \'vscode:once\';'),
    }));
    build.onResolve({ filter: /^vscode:once$/ }, () => ({ path: 'vscode', namespace: 'once' }));
    build.onLoad({ filter: /./, namespace: 'once' }, () => ({ contents: 'export default require(\'vscode\');' }));
  },
};

/** undici carries a second, experimental HTTP parser that its builds for Node core leave out the same way. */
const undiciWithoutParser = { esbuildDetection: '"1"' };

/** What differs between the bundles; `{}` where a bundle needs nothing of its own. */
function bundles() {
  const onNode = { platform: 'node', format: 'cjs', target: 'node22' };
  // A part of the server is loaded by server/app/compiledParts.ts, which runs it as a script: such a one has no `import()`. Those of
  // the client ask for 'vscode', which editors give to a `require` for certain.
  const asPart = { ...onNode, supported: { 'dynamic-import': false } };
  const shared = laterParts.filter((part) => part.shared !== undefined);
  const later = laterParts.map((part) => ({
    name: `lib/${part.file}`,
    options: {
      ...asPart,
      ...(part.shared !== undefined ? {} : { plugins: [splitParts('.', ['server.js', 'commands.js'].includes(part.file) ? laterParts : shared), vscodeOnce] }),
      ...(part.file === 'l10n.js' ? { mainFields: ['browser', 'module', 'main'] } : {}),
      ...(part.file === 'server.js' ? { define: { ...undiciWithoutParser, 'import.meta.dirname': '__dirname', 'process.env.WAYBILL_DASHBOARD': '"dashboard.js"' } } : {}),
      ...(part.modules.some((one) => one.startsWith('client/')) ? { external: ['vscode'] } : {}),
      stdin: { contents: part.modules.map((one) => `export * from ${JSON.stringify(isOurs(one) ? `./${one}` : one)};`).join('\n'), resolveDir: root, loader: 'ts' },
    },
  }));
  return [
    { name: 'client.js', entry: 'client/extension.ts', options: { ...asPart, external: ['vscode'], plugins: [splitParts('./lib', laterParts), vscodeOnce] } },
    {
      name: 'server.js', entry: 'server/main.ts',
      options: { ...onNode, plugins: [splitParts('./lib', laterParts)], define: { 'import.meta.dirname': '__dirname', 'process.env.WAYBILL_PARTS': '"lib"' } },
    },
    ...later,
    { name: 'webview.js', entry: 'client/views/page/main.ts', options: { platform: 'browser', format: 'iife', target: 'es2022' } },
  ];
}

function optionsFor({ name, entry, options }, release) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return {
    absWorkingDir: root,
    ...(entry === undefined ? {} : { entryPoints: [entry] }),
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
    ...options,
    define: {
      'process.env.WAYBILL_VERSION': JSON.stringify(version),
      ...(options.platform === 'browser' ? { 'process.env.NODE_ENV': '"production"' } : {}),
      ...options.define,
    },
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
    onlyAscii(bundle.name);
    return { name: bundle.name, bytes: statSync(path.join(dist, bundle.name)).size, metafile };
  }));
}

/**
 * The files that a bundle is made of, with the bytes that each has in it. Writes nothing.
 * @param name such as `client.js`
 * @returns {Promise<Map<string, number>>}
 */
export async function contentsOf(name) {
  const esbuild = await import('esbuild');
  const { metafile } = await esbuild.build({ ...optionsFor(bundles().find((bundle) => bundle.name === name), true), write: false });
  const [output] = Object.values(metafile.outputs);
  return new Map(Object.entries(output.inputs).map(([file, { bytesInOutput }]) => [file, bytesInOutput]));
}

/**
 * V8 keeps a source text with one character outside Latin-1 at two bytes a character, all of it, as long as the process runs.
 * esbuild escapes such characters but in regular expressions and tagged templates.
 * @throws Error with the place of the first one
 */
function onlyAscii(name) {
  const text = readFileSync(path.join(dist, name), 'utf8');
  const at = text.search(/[^\0-\x7f]/);
  if (at >= 0) throw new Error(`dist/${name} has the character "${text[at]}" in ${JSON.stringify(text.slice(Math.max(0, at - 40), at + 10))}: write it as \\u${text.charCodeAt(at).toString(16).padStart(4, '0')}.`);
}

export function printSizes(built) {
  console.log(table(built.map(({ name, bytes }) => [`dist/${name}`, kilobytes(bytes)])).join('\n'));
}

async function watch() {
  console.log('Building …');
  const esbuild = await import('esbuild');
  const report = { name: 'report', setup: (context) => context.onEnd(({ errors }) => {
    console.log(`${new Date().toLocaleTimeString()} ${path.basename(context.initialOptions.outfile)}: ${errors.length === 0 ? 'built' : `${errors.length} errors`}`);
  }) };
  const contexts = await Promise.all(bundles().map((bundle) => esbuild.context({ ...optionsFor(bundle, false), plugins: [...(bundle.options.plugins ?? []), report] })));
  await Promise.all(contexts.map((context) => context.watch()));
  console.log('Watching; Ctrl-C ends it.');
}

/** Bytes of each package (and of our own code) in a bundle, largest first. */
function packageSizes(metafile) {
  const sizes = new Map();
  for (const output of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
      const owner = packageOf(file) ?? 'waybill';
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
