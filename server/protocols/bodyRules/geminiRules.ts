import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { standInSignature } from '../gemini/contentsDecode.ts';
import { geminiModelRules, type GeminiModelRules } from '../gemini/models.ts';
import { leftOut } from '../media.ts';
import { budgetOfEffort, effortOfBudget, nearestEffort, parseEffort } from '../reasoningEffort.ts';
import { fieldValue } from '../../base/objectScan.ts';
import { occurrences } from './fieldStrings.ts';
import { geminiImageTypes, imageFieldsFit, imageType, watchedImageTypes } from './imageTypes.ts';
import { leaveOut } from './leaveOut.ts';
import { refusedFields } from './modelRules.ts';
import { jsonWords, schemaWords } from './promptWords.ts';
import type { BodyBytes, BodyRules, FitTarget } from './rule.ts';
import { fitToolSchema, fitted, fitTools, ToolListVerdicts } from './tools/toolSchemas.ts';

const typeFields = ['mimeType', 'mime_type'] as const;
const dataFields = ['inlineData', 'inline_data'] as const;
/** Larger ones do not fit Google's 32 bits. */
const mostSeed = 2_147_483_647;

/** What targets of Google's generateContent refuse. Names of fields in snake case are left to Google. */
export const geminiRules: BodyRules = {
  // What differs between models stands below the top level.
  topFields: ['labels', 'serviceTier', 'store'],

  fitTop(body, target, changes) {
    leaveOut(body, refusedFields(target), changes);
  },

  mayHoldRefused(body, target) {
    const { bytes, scan: { words, fields } } = body;
    if (watchedImageTypes.some(type => words.has(type)) && typeFields.some(field => !imageFieldsFit(bytes, field, geminiImageTypes))) return true;
    const tools = fields.get('tools');
    if (tools !== undefined && !toolLists.fits(bytes.subarray(tools.start, tools.end))) return true;
    if (!configFits(body, target)) return true;
    return geminiModelRules(target.model).needsSignatures && bytes.includes('"functionCall"') && lacksSignature(bytes);
  },

  fitContent(body, target, changes) {
    const rules = geminiModelRules(target.model);
    if (Array.isArray(body.contents)) body.contents = fitContents(body.contents, rules, changes);
    if (Array.isArray(body.tools)) body.tools = fitted(body.tools, completedTools, changes);
    fitConfig(body, rules, changes);
  },
};

const completedTools = fitTools(fitTool);
const toolLists = new ToolListVerdicts(completedTools);

function fitTool(tool: JsonValue): JsonValue {
  if (!isObject(tool) || !Array.isArray(tool.functionDeclarations)) return tool;
  const declarations = tool.functionDeclarations.map((declaration): JsonValue => {
    const schema = isObject(declaration) ? declaration.parametersJsonSchema : undefined;
    if (!isObject(declaration) || !isObject(schema)) return declaration;
    const fit = fitToolSchema(schema, false);
    return fit === schema ? declaration : { ...declaration, parametersJsonSchema: fit };
  });
  return declarations.every((declaration, index) => declaration === (tool.functionDeclarations as JsonValue[])[index]) ? tool : { ...tool, functionDeclarations: declarations };
}

/** Fewer signatures than steps with calls: some call may be without one. */
function lacksSignature(bytes: Buffer): boolean {
  return occurrences(bytes, '"functionCall"') > occurrences(bytes, '"thoughtSignature"');
}

function fitContents(contents: readonly JsonValue[], rules: GeminiModelRules, changes: Set<string>): JsonValue[] {
  return contents.map(content => {
    if (!isObject(content) || !Array.isArray(content.parts)) return content;
    let calls = 0;
    const parts = content.parts.map(part => {
      if (!isObject(part)) return part;
      const fit = fitMedia(part, changes);
      if (!isObject(fit.functionCall)) return fit;
      calls += 1;
      if (calls > 1 || !rules.needsSignatures || fit.thoughtSignature !== undefined || fit.thought_signature !== undefined) return fit;
      changes.add('a call without a signature got a stand-in');
      return { ...fit, thoughtSignature: standInSignature };
    });
    return { ...content, parts };
  });
}

function fitMedia(part: JsonObject, changes: Set<string>): JsonObject {
  const fit: JsonObject = { ...part };
  for (const name of dataFields) {
    const data = fit[name];
    if (!isObject(data)) continue;
    for (const field of typeFields) {
      const label = data[field];
      if (typeof label !== 'string') continue;
      const type = imageType(label, typeof data.data === 'string' ? data.data : '');
      if (type.startsWith('image/') && !geminiImageTypes.has(type)) {
        changes.add(`an image of type ${type} was left out`);
        return { text: leftOut(`An image of type ${type}`).text };
      }
      if (type === label) continue;
      fit[name] = { ...data, [field]: type };
      changes.add('the type of an image was corrected');
    }
  }
  const response = fit.functionResponse;
  if (isObject(response) && Array.isArray(response.parts)) fit.functionResponse = { ...response, parts: response.parts.map(inner => (isObject(inner) ? fitMedia(inner, changes) : inner)) };
  return fit;
}

function configFits({ bytes, scan }: BodyBytes, { model }: FitTarget): boolean {
  if (!scan.fields.has('generationConfig')) return true;
  const config = fieldValue(bytes, scan, 'generationConfig');
  if (!isObject(config)) return true;
  const changes = new Set<string>();
  fitConfig({ generationConfig: config as JsonObject, tools: scan.fields.has('tools') ? [] : undefined }, geminiModelRules(model), changes);
  return changes.size === 0;
}

/** Sampling, thinking and the form of the answer as the model's generation takes them. */
function fitConfig(body: JsonObject, rules: GeminiModelRules, changes: Set<string>): void {
  if (!isObject(body.generationConfig)) return;
  const config: JsonObject = { ...body.generationConfig };
  const before = changes.size;
  if (typeof config.seed === 'number' && Math.abs(config.seed) > mostSeed) {
    delete config.seed;
    changes.add('seed was left out, because it has more than 32 bits');
  }
  fitThinking(config, rules, changes);
  if (config.responseMimeType === 'application/json' && body.tools !== undefined && !rules.schemaWithTools) {
    const schema = config.responseJsonSchema ?? config.responseSchema;
    for (const name of ['responseMimeType', 'responseJsonSchema', 'responseSchema']) delete config[name];
    addInstruction(body, schema === undefined ? jsonWords : schemaWords(schema));
    changes.add(schema === undefined ? 'JSON was asked for in words' : 'the JSON schema of the answer was asked for in words');
  }
  if (changes.size > before) body.generationConfig = config;
}

function addInstruction(body: JsonObject, text: string): void {
  const system = isObject(body.systemInstruction) ? body.systemInstruction : {};
  body.systemInstruction = { ...system, parts: [...(Array.isArray(system.parts) ? system.parts : []), { text }] };
}

function fitThinking(config: JsonObject, rules: GeminiModelRules, changes: Set<string>): void {
  const wanted = config.thinkingConfig;
  if (!isObject(wanted)) return;
  const { thinkingBudget: budget, thinkingLevel: level, ...rest } = wanted;
  if (rules.thinking === 'none') {
    delete config.thinkingConfig;
    changes.add('thinkingConfig was left out');
  } else if (rules.thinking === 'level' && (typeof budget === 'number' || typeof level === 'string')) {
    const effort = typeof level === 'string' ? parseEffort(level.toLowerCase()) : typeof budget === 'number' && budget >= 0 ? effortOfBudget(budget) : undefined;
    const named = effort === undefined ? undefined : nearestEffort(effort, rules.levels);
    if (typeof budget !== 'number' && (named === undefined || named === String(level).toLowerCase())) return;
    config.thinkingConfig = { ...rest, ...(named === undefined ? {} : { thinkingLevel: named.toUpperCase() }) };
    changes.add('thinking was asked for by a level of this model');
  } else if (rules.thinking === 'budget') {
    const effort = typeof level === 'string' ? parseEffort(level.toLowerCase()) : undefined;
    const tokens = typeof budget === 'number' ? budget : effort === undefined ? undefined : budgetOfEffort(effort);
    const { least, most, off } = rules.budget;
    const fit = tokens === undefined || tokens === -1 || (tokens === 0 && off) ? tokens : Math.min(most, Math.max(least, tokens));
    if (fit === budget && level === undefined) return;
    config.thinkingConfig = { ...rest, ...(fit === undefined ? {} : { thinkingBudget: fit }) };
    changes.add('thinking was asked for by a budget of this model');
  }
}
