import type { ConversationRequest, HostedTool, ToolChoice, ToolDefinition } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { RequestFormatError } from '../codec.ts';
import { withHostedTools } from '../conversationShape.ts';
import { asFunctions } from '../customTools.ts';
import { arrayField, requiredString, stringField, withoutUndefined } from '../fields.ts';
import { camelCased, camelCasedOrEmpty, requiredCamelCased } from './fields.ts';
import { jsonSchemaOf } from './schema.ts';
import { oncePerList } from '../toolLists.ts';

/** @throws RequestFormatError */
export function readTools(tools: JsonValue | undefined): DecodedTools {
  return readToolList(tools === undefined || tools === null ? [] : Array.isArray(tools) ? tools : [tools]);
}

interface DecodedTools { tools: ToolDefinition[]; hostedTools: HostedTool[] }

const readToolList = oncePerList((list: JsonValue[]): DecodedTools => {
  const read: DecodedTools = { tools: [], hostedTools: [] };
  for (const [index, entry] of list.entries()) {
    const path = `tools[${index}]`;
    const { functionDeclarations, ...hosted } = requiredCamelCased(entry, path);
    const declarations = arrayField({ functionDeclarations }, 'functionDeclarations', `${path}.functionDeclarations`) ?? [];
    for (const [position, declaration] of declarations.entries()) {
      read.tools.push(readDeclaration(requiredCamelCased(declaration, `${path}.functionDeclarations[${position}]`), `${path}.functionDeclarations[${position}]`));
    }
    for (const [type, definition] of Object.entries(hosted)) {
      // In the other spelling the same tool is there twice.
      if (definition !== undefined && !type.includes('_')) read.hostedTools.push({ protocol: 'gemini', type, definition: { [type]: definition } });
    }
  }
  return read;
});

function readDeclaration(declaration: JsonObject, path: string): ToolDefinition {
  const { parametersJsonSchema, parameters } = declaration;
  return {
    name: requiredString(declaration, 'name', `${path}.name`),
    description: stringField(declaration, 'description', `${path}.description`),
    parameters: isObject(parametersJsonSchema) ? parametersJsonSchema : isObject(parameters) ? jsonSchemaOf(parameters) : undefined,
  };
}

/**
 * The choice of `toolConfig.functionCallingConfig`; `allowed` are the only functions that may be called, where
 * there are several: other protocols express it by sending only those.
 */
export function readToolChoice(toolConfig: JsonValue | undefined): { choice?: ToolChoice | undefined; allowed?: ReadonlySet<string> | undefined } {
  const config = camelCasedOrEmpty(camelCasedOrEmpty(toolConfig).functionCallingConfig);
  const named = (arrayField(config, 'allowedFunctionNames', 'toolConfig.functionCallingConfig.allowedFunctionNames') ?? []).filter((name) => typeof name === 'string');
  const [first] = named;
  const allowed = first === undefined ? undefined : new Set(named);
  switch (asString(config.mode)?.toUpperCase()) {
    case undefined:
    case 'MODE_UNSPECIFIED': return {};
    case 'AUTO': return { choice: { type: 'auto' } };
    case 'VALIDATED': return { choice: { type: 'auto' }, allowed };
    case 'NONE': return { choice: { type: 'none' } };
    case 'ANY':
      return named.length === 1 && first !== undefined ? { choice: { type: 'tool', name: first } } : { choice: { type: 'required' }, allowed };
    default:
      throw new RequestFormatError('toolConfig.functionCallingConfig.mode', 'must be AUTO, ANY, NONE or VALIDATED');
  }
}

/** The tool fields of a request body. At most one call a turn cannot be asked for here. */
export function writeTools(request: ConversationRequest): JsonObject {
  const tools = withHostedTools(writeToolList(request.tools), request, 'gemini', camelCased);
  return {
    tools: tools.length === 0 ? undefined : tools,
    // A choice is about functions: without any it is refused.
    toolConfig: request.tools.length === 0 || request.toolChoice === undefined ? undefined : { functionCallingConfig: writeChoice(request.toolChoice) },
  };
}

const writeToolList = oncePerList((tools: ToolDefinition[]): JsonValue[] => (tools.length === 0 ? [] : [{ functionDeclarations: asFunctions(tools).map(writeDeclaration) }]));

/** What stands at the top of a schema in place of properties. */
const saysMore = ['anyOf', 'oneOf', 'allOf', '$ref', 'patternProperties'] as const;

function writeDeclaration(tool: ToolDefinition): JsonObject {
  const { parameters } = tool;
  // An object schema without properties is refused; no schema says the same.
  const isEmpty = parameters === undefined || ((parameters.type === undefined || parameters.type === 'object') && (!isObject(parameters.properties) || Object.keys(parameters.properties).length === 0) && parameters.additionalProperties !== true && !saysMore.some(name => parameters[name] !== undefined));
  return withoutUndefined({
    name: tool.name,
    description: tool.description,
    parametersJsonSchema: isEmpty ? undefined : { type: 'object', ...(parameters as JsonObject) },
  });
}

function writeChoice(choice: ToolChoice): JsonObject {
  switch (choice.type) {
    case 'auto': return { mode: 'AUTO' };
    case 'none': return { mode: 'NONE' };
    case 'required': return { mode: 'ANY' };
    case 'tool': return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  }
}
