import {
  completionRequest, diagnosticsNotification, didChangeNotification, didCloseNotification, didOpenNotification, hoverRequest, type CompletionItem, type Diagnostic, type DiagnosticsParams, type HoverResult, type PlaceParams,
} from '../../../api/rules/documents.ts';
import { Guard } from '../../../base/guarded.ts';
import { providers } from '../../../catalog/providers.ts';
import type { Suggestion } from '../../../config/language/complete.ts';
import type * as Language from '../../../config/language/rulesLanguage.ts';
import type { DraftRules } from '../../../config/language/rulesLanguage.ts';
import { resolveOptions } from '../resolveOptions.ts';
import { isConfiguration, OpenDocument, pathOf } from '../rules/documents.ts';
import type { FeatureContext, LspFeature } from './feature.ts';

/** A person types on: problems are looked for once the text has been quiet for so long. */
const quietMs = 200;
/** A longer file is not looked at while a person types in it. */
const longestText = 2_000_000;

const kinds: Readonly<Record<Suggestion['kind'], number>> = { field: 5, choice: 13, route: 18, endpoint: 9, target: 12, model: 12, provider: 9 };

/** Completion, hover and diagnostics of configuration files. A file that is edited is read and checked, and never obeyed. */
export const rulesFileFeature: LspFeature = {
  name: 'rulesFile',
  register(context) {
    const files = new RulesFiles(context);
    const { editor } = context;
    editor.onNotification(didOpenNotification, ({ textDocument: { uri, version, text } }) => { files.changed(uri, version, text, 'now'); });
    editor.onNotification(didChangeNotification, ({ textDocument: { uri, version }, contentChanges }) => {
      const text = contentChanges.at(-1)?.text;
      if (text !== undefined) files.changed(uri, version, text, 'soon');
    });
    editor.onNotification(didCloseNotification, ({ textDocument: { uri } }) => { files.closed(uri); });
    editor.onRequest(completionRequest, params => files.completions(params));
    editor.onRequest(hoverRequest, params => files.hover(params));
    return { close: () => { files.close(); } };
  },
};

class RulesFiles {
  readonly #context: FeatureContext;
  readonly #open = new Map<string, OpenDocument>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #checks: Guard;

  constructor(context: FeatureContext) {
    this.#context = context;
    this.#checks = new Guard('The check of a configuration file', context.router.log);
  }

  changed(uri: string, version: number, text: string, when: 'now' | 'soon'): void {
    if (!isConfiguration(uri, this.#context.configFile) || text.length > longestText) return;
    this.#open.set(uri, new OpenDocument(uri, version, text));
    clearTimeout(this.#timers.get(uri));
    const timer = setTimeout(() => {
      this.#timers.delete(uri);
      this.#checks.start(() => this.#check(uri));
    }, when === 'now' ? 0 : quietMs);
    timer.unref();
    this.#timers.set(uri, timer);
  }

  closed(uri: string): void {
    clearTimeout(this.#timers.get(uri));
    this.#timers.delete(uri);
    if (this.#open.delete(uri)) this.#publish({ uri, diagnostics: [] });
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async completions({ textDocument, position }: PlaceParams): Promise<CompletionItem[]> {
    const document = this.#open.get(textDocument.uri);
    if (document === undefined) return [];
    const language = await loadLanguage();
    const knowledge = await this.#context.router.rules.knowledge(this.#configOf(this.#draftOf(document, language)));
    return language.complete(document.text, document.offsetAt(position), providers, knowledge).map((one, index) => ({
      label: one.label, kind: kinds[one.kind], ...(one.detail === undefined ? {} : { detail: one.detail }),
      ...(one.documentation === undefined ? {} : { documentation: { kind: 'markdown' as const, value: one.documentation } }),
      sortText: String(index).padStart(5, '0'), filterText: one.label, textEdit: { range: document.rangeOf(one.from, one.to), newText: one.insert },
    }));
  }

  async hover({ textDocument, position }: PlaceParams): Promise<HoverResult | null> {
    const document = this.#open.get(textDocument.uri);
    if (document === undefined) return null;
    const language = await loadLanguage();
    const { rules } = this.#context.router;
    const found = language.hover(document.text, document.offsetAt(position), await rules.knowledge(this.#configOf(this.#draftOf(document, language))));
    return found === undefined ? null : { contents: { kind: 'markdown', value: rules.redact(found.markdown) }, range: document.rangeOf(found.from, found.to) };
  }

  async #check(uri: string): Promise<void> {
    const language = await loadLanguage();
    const document = this.#open.get(uri);
    if (document === undefined) return;
    const { problems } = this.#draftOf(document, language);
    this.#publish({
      uri, version: document.version,
      diagnostics: language.inOrder(problems).map((problem): Diagnostic => ({
        range: problem.range ?? firstLine, severity: problem.ofEnvironment === true ? 2 : 1, source: 'waybill', message: this.#context.router.rules.redact(problem.message),
      })),
    });
  }

  #draftOf({ uri, text }: OpenDocument, language: typeof Language): DraftRules {
    const { rules } = this.#context.router;
    return language.readDraft(text, pathOf(uri), process.env, { catalog: resolveOptions.catalog, supportedProtocols: resolveOptions.supportedProtocols, ranges: true }, rules.used, rules.settings);
  }

  /** While the file cannot be read, what is in use is better than nothing. */
  #configOf({ readable, config }: DraftRules): DraftRules['config'] {
    return readable ? config : this.#context.router.rules.used;
  }

  #publish(params: DiagnosticsParams): void {
    this.#context.editor.notify(diagnosticsNotification, params);
  }
}

const firstLine = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };

/** Parser and schema are loaded with the first configuration file that is opened. */
function loadLanguage(): Promise<typeof Language> {
  return import('../../../config/language/rulesLanguage.ts');
}
