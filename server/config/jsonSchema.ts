import * as z from 'zod/mini';
import { englishOf } from '../api/localization/said.ts';
import type { Provider } from '../catalog/provider.ts';
import { aliasPattern, configurationSchema, endpointSchema, namePattern, toolsWithModels } from './schema.ts';

/** A JSON value as it is written into package.json. */
type Json = { [key: string]: unknown };

/**
 * The settings of VS Code that hold the configuration, as `contributes.configuration.properties` wants them: generated
 * from the schema, so that the editor completes and checks what the server accepts. Keys are left out: they belong in
 * the secret store. Their scope is `application`, so that no workspace can change where requests and keys go.
 *
 * @param providers the catalog, for completion of provider names
 */
export function settingsProperties(providers: readonly Provider[]): Record<'waybill.endpoints' | 'waybill.routes' | 'waybill.aliases' | 'waybill.equivalents' | 'waybill.tools' | 'waybill.caps' | 'waybill.budgets' | 'waybill.monitoring', Json> {
  const { routes, aliases, equivalents, tools, caps, budgets, monitoring } = generated(configurationSchema)['properties'] as Record<'routes' | 'aliases' | 'equivalents' | 'tools' | 'caps' | 'budgets' | 'monitoring', Json>;
  const endpoint = generated(z.omit(endpointSchema, { keys: true }));
  withProviderNames(endpoint, providers);
  return {
    'waybill.endpoints': {
      type: 'object',
      scope: 'application',
      default: {},
      markdownDescription: 'Endpoints by name: each is one reachable place of a provider. **Waybill: Add Provider…** writes them for you and keeps the keys in the secret store; keys never stand here.',
      propertyNames: { pattern: namePattern.source },
      additionalProperties: endpoint,
    },
    'waybill.routes': {
      type: 'object',
      scope: 'application',
      default: {},
      markdownDescription: 'Routes by name: each turns a request into an ordered list of targets, written `endpoint/model`. A route is picked like a model, by its name.',
      propertyNames: { pattern: namePattern.source },
      additionalProperties: routes['additionalProperties'],
    },
    'waybill.aliases': {
      type: 'object',
      scope: 'application',
      default: {},
      markdownDescription: 'Names of your own for models, such as `"sonnet": "claude-sonnet-5.5"`. An alias can be asked for wherever a model can, and makes a provider\'s odd spelling of a model known as that model.',
      propertyNames: { pattern: aliasPattern.source },
      additionalProperties: aliases['additionalProperties'],
    },
    'waybill.equivalents': {
      type: 'object',
      scope: 'application',
      default: {},
      markdownDescription: 'Models that may stand in for a model when no endpoint that serves it can answer, such as `"claude-sonnet-4.6": ["gpt-5.1"]`. It holds for requests that ask for the model and for routes that lead to it; a route can have `equivalents` of its own. A model without an entry is never replaced.',
      additionalProperties: equivalents['additionalProperties'],
    },
    'waybill.tools': {
      type: 'object',
      scope: 'application',
      default: {},
      markdownDescription: 'What a tool gets for names of models that it asks for by itself, such as `"claude-code": { "haiku": "cheap" }`. **Waybill: Connect a Tool…** takes it over for a tool that it connects.',
      properties: Object.fromEntries(toolsWithModels.map(tool => [tool, { ...tools['additionalProperties'] as Json, description: 'Routes for the names of models that this tool asks for by itself.' }])),
      additionalProperties: false,
    },
    'waybill.caps': {
      type: 'object',
      scope: 'application',
      default: {},
      markdownDescription: 'What requests may cost, in US dollars, whatever they ask for: a request, a turn, a conversation, a session. Routes may have caps of their own (**Waybill: Edit Route…**), which hold besides.',
      properties: caps['properties'],
      additionalProperties: false,
    },
    'waybill.budgets': {
      type: 'object',
      scope: 'application',
      default: {},
      markdownDescription: 'What may be spent in a day, a week or a month, by names of your own, such as `"daily": { "limitUsd": 5, "period": "day" }`: for everything, or for each conversation, workspace, branch, tool, endpoint, route, extension or token. **Waybill: Set Budget…** writes them for you.',
      propertyNames: { pattern: namePattern.source },
      additionalProperties: budgets['additionalProperties'],
    },
    'waybill.monitoring': {
      type: 'object',
      scope: 'application',
      default: {},
      markdownDescription: 'What is measured for others, such as `"metrics": { "enabled": true }` for Prometheus. Nothing of it is loaded where this is empty.',
      properties: monitoring['properties'],
      additionalProperties: false,
    },
  };
}

function generated(schema: z.ZodMiniType): Json {
  const { $schema: _draft, ...json } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return json;
}

function withProviderNames(endpoint: Json, providers: readonly Provider[]): void {
  const properties = endpoint['properties'] as Record<string, Json>;
  const offered = providers.flatMap(provider => [provider.id, ...provider.aliases ?? []].map(id => ({ id, provider })));
  properties['provider'] = {
    ...properties['provider'],
    enum: offered.map(({ id }) => id),
    enumDescriptions: offered.map(({ id, provider }) => (id === provider.id ? provider.description === undefined ? provider.name : englishOf(provider.description) : `The same as ${provider.id}`)),
  };
}
