import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

interface Texts {
  sources(): { file: string; text: string }[];
  textsOf(file: string, text: string): { keys: string[]; faults: string[] };
  codeFaults(): string[];
  manifestFaults(): string[];
  translationFaults(english: Map<string, string>, translated: Record<string, string>, name: string): string[];
}

const { sources, textsOf, codeFaults, manifestFaults, translationFaults } = await import(new URL('../../../scripts/texts.mjs', import.meta.url).href) as Texts;
const { untranslated } = await import(new URL('../../../scripts/literals.mjs', import.meta.url).href) as { untranslated(file: string, text: string, allowed?: ReadonlySet<string>): string[] };

/** Folders and files whose texts all go through `t`. */
const translated: readonly string[] = ['client'];

/** The titles of commands are compared with those of package.json, which stand in its own files of texts. */
const withoutTexts: ReadonlySet<string> = new Set(['client/commands/commandTable.ts']);

/** Literals that look like words and are none for people, or are names that no language changes. */
const notWords: ReadonlySet<string> = new Set([
  'Waybill', 'Claude Code', 'Codex', 'Gemini CLI', 'OpenCode', 'Continue', 'Cline (CLI)', 'aider', 'Opus', 'Sonnet', 'Haiku',
  'Amazon Bedrock', 'Vertex AI', 'Microsoft Foundry', 'JSON', 'TOML', 'YAML', 'gpt-4.1',
  'CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY', 'CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS', 'ANTHROPIC_API_KEY',
  'GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_GCA', 'OPENCODE_CONFIG', 'OPENCODE_CONFIG_CONTENT',
  // Names of files.
  '/Library/Application Support/ClaudeCode/managed-settings.json', 'C:\\Program Files\\ClaudeCode\\managed-settings.json', 'Prompt Caches.md', 'Migration Report.md',
  // The name of a provider in the configuration of Continue.
  'Local Config',
  // For the log.
  'its process ended', 'could not be started: …', 'ended with code …', 'was ended by …', 'it … before it could be spoken to',
  'CSV',
  // Names within the code: of groups of radio buttons, of an open part of a page, of a state.
  'range', 'period', 'day table', 'no state',
  // A column of a file that other programs read.
  '(not recorded)',
  // HTML of the documents of pages, whose texts come from elsewhere.
  '<script type="application/json" id="…">…</script>', '<!DOCTYPE html>', '<html lang="…" data-language="…">', '<meta charset="utf-8">', '<meta http-equiv="Content-Security-Policy" content="…">',
  '<meta name="viewport" content="width=device-width, initial-scale=1">', '<link rel="stylesheet" href="…">', '<body data-page="…">', '<script nonce="…" src="…"></script>',
  'default-src \'none\'; style-src …; script-src \'nonce-…\'; base-uri \'none\'; form-action \'none\'',
]);

describe('the texts of the code', () => {
  it('have a translation each, with the same values in braces, and no translation is left over', () => {
    assert.deepEqual(codeFaults(), []);
  });

  it('are found by the script, which refuses a call that it cannot read', () => {
    const file = (body: string): string => `import { t } from '@vscode/l10n';\nfunction f(n: number, w: string) { return ${body}; }`;
    assert.deepEqual(textsOf('a.ts', file("[t('One'), t('{0} of {1}', n, n), t('{name}', { name: w }), t({ message: 'Open', comment: 'state', args: [] })]")), { keys: ['One', '{0} of {1}', '{name}', 'Open/state'], faults: [] });
    assert.match(textsOf('a.ts', file('t(w)')).faults.join(), /a\.ts:2: t\(\) wants its text as one literal/);
    assert.match(textsOf('a.ts', file("t('{0} of {1}', n)")).faults.join(), /names \{0\}, \{1\}, and gets \{0\}/);
    assert.match(textsOf('a.ts', file("t('None', n)")).faults.join(), /gets \{0\}/);
    assert.match(textsOf('a.ts', "import { t } from '@vscode/l10n';\nconst label = t('Label');").faults.join(), /a\.ts:2: t\(\) runs when the file is loaded/);
  });

  it('are compared with their translations', () => {
    const english = new Map([['{0} keys', '{0} keys'], ['Open [it](command:x)', 'Open [it](command:x)']]);
    assert.deepEqual(translationFaults(english, { '{0} keys': '{0} khóa', 'Open [it](command:x)': 'Mở [nó](command:x)' }, 'vi'), []);
    assert.deepEqual(translationFaults(english, { '{0} keys': 'khóa', 'Open [it](command:x)': 'Mở [nó](command:y)', 'Old': 'Cũ' }, 'vi'), [
      'vi: "{0} keys" has other placeholders.', 'vi: "Open [it](command:x)" has other links or code.', 'vi has "Old", which nothing uses.',
    ]);
    assert.deepEqual(translationFaults(english, { '{0} keys': ' ' }, 'vi').length, 2);
  });

  it('go through t() where a folder is done', () => {
    const done = sources().filter(({ file }) => !withoutTexts.has(file) && translated.some(place => file === place || file.startsWith(`${place}/`)));
    assert.deepEqual(done.flatMap(({ file, text }) => untranslated(file, text, notWords)), []);
  });

  it('are told from other literals by where they stand and by their words', () => {
    const found = (body: string): number => untranslated('a.ts', `function f() { ${body} }`).length;
    assert.equal(found("return { label: 'Providers' };"), 1);
    assert.equal(found("void vscode.window.showWarningMessage('Stopped', t('Retry'), 'Open Log');"), 2);
    assert.equal(found("return element('p', { class: 'a note' }, 'Total');"), 1);
    assert.equal(found("return [`${n} keys are left`, yes ? 'some of it' : '']"), 2);
    assert.equal(found("log.info('A line of the log'); return { label: t('Providers'), id: 'waybill.spend', icon: 'warning' };"), 0);
    assert.equal(found("return kind === 'two words' ? t({ message: 'Open', comment: 'the state of a breaker' }) : t('{0} keys are left', n);"), 0);
  });
});

describe('the texts of package.json', () => {
  it('stand in package.nls.json, and in each language', () => {
    assert.deepEqual(manifestFaults(), []);
  });
});

describe('the Vietnamese texts', () => {
  const read = (file: string): Record<string, string> => JSON.parse(readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')) as Record<string, string>;
  const bare = (text: string): string => text.replace(/…$/, '');
  const [titles, translatedTitles, bundle] = [read('package.nls.json'), read('package.nls.vi.json'), read('l10n/bundle.l10n.vi.json')];
  /** Titles of the palette by their English titles, both without the ellipsis. */
  const palette = new Map(Object.entries(titles).filter(([key]) => key.startsWith('command.')).map(([key, title]) => [bare(title), bare(translatedTitles[key] ?? '')]));

  it('name a command as the palette does', () => {
    const others = Object.entries(bundle).filter(([key, text]) => (palette.get(bare(key)) ?? bare(text)) !== bare(text));
    assert.deepEqual(others, []);
  });

  it('quote a command by its title in the palette', () => {
    const pairs = [...Object.entries(bundle), ...Object.entries(titles).map(([key, text]): [string, string] => [text, translatedTitles[key] ?? ''])];
    const quotes = pairs.flatMap(([english, text]) => [...english.matchAll(/(?:"|\*\*)Waybill: (.+?)(?:"|\*\*)/g)].map(([, title = '']) => ({ title: bare(title), text })));
    assert.ok(quotes.length > 5);
    assert.deepEqual(quotes.filter(({ title, text }) => !text.includes(`Waybill: ${palette.get(title) ?? title}`)), []);
    assert.deepEqual(quotes.filter(({ title }) => !palette.has(title)), [], 'commands that do not exist');
  });
});
