// docs/configuration.md: every field of the configuration, from the zod schema.
import * as z from 'zod/mini';
import { providers } from '../server/catalog/providers.ts';
import { configurationSchema } from '../server/config/schema.ts';

/** An example with a field of each section. A test loads it, so that it stays a configuration that is accepted. */
export const exampleYaml = `endpoints:
  openai:
    provider: openai
    keys: ["\${OPENAI_API_KEY}", "\${OPENAI_API_KEY_2}"]
    limits: { requestsPerMinute: 500 }
  claude:
    provider: anthropic
    keys: ["\${ANTHROPIC_API_KEY}"]
  relay:
    provider: openai-compatible
    baseUrl: https://relay.example.com/v1
    keys: ["\${RELAY_KEY}"]
    breaker: { failures: 3, openForMs: 60000 }
    models:
      deepseek-v3.2:
        upstream: deepseek-chat
        prices: { inputPerMTok: 0.42, outputPerMTok: 0.84 }
routes:
  best:
    targets: [claude/claude-sonnet-4.6, openai/gpt-4.1, relay/deepseek-v3.2]
    timeouts: { firstTokenMs: 20000 }
    afterCommit: resume
equivalents: # what may stand in for a model that cannot be had
  claude-sonnet-4.6: [gpt-5.1]
aliases:
  sonnet: claude-sonnet-4.6
`;

const introduction = `# Configuration

Every field that \`serve --config FILE\` reads, made from the schema that checks it (\`npm run settings\`). The settings
\`waybill.endpoints\`, \`waybill.routes\`, \`waybill.aliases\` and \`waybill.equivalents\` of VS Code have the same fields, without \`keys\`: there, keys are
kept in the secret store.

- The file is YAML or JSON. It is read again when it changes. A mistake is reported with its line and costs the endpoint
  or route it stands in; a file that is no configuration at all changes nothing.
- \`\${NAME}\` stands for the environment variable of that name, in every text.
- Names of endpoints and routes are letters, digits, \`.\`, \`_\` and \`-\`, up to 64 characters.
- A field that is not in these tables is a mistake, and is reported.

\`\`\`yaml
${exampleYaml}\`\`\`
`;

/** The page. A map by free names stands as \`NAME\` in the path of its fields. */
export function configReference() {
  const schema = z.toJSONSchema(configurationSchema, { target: 'draft-7', io: 'input' });
  const sections = Object.entries(schema.properties).map(([name, property]) => section(name, property));
  return `${introduction}\n${sections.join('\n')}\n${providerSection()}`;
}

function section(name, object) {
  const { description, additionalProperties } = object;
  const heading = `## \`${name}\`\n\n${description}\n`;
  if (object.properties !== undefined) {
    const groups = [];
    collect(object, name, groups);
    return [heading, ...groups].join('\n');
  }
  if (additionalProperties.properties === undefined) return `${heading}\nEach value is ${typeText(additionalProperties)}.\n`;
  const groups = [];
  collect(additionalProperties, `${name}.NAME`, groups);
  return [heading, ...groups].join('\n');
}

/** One table for the fields of an object, then one for each object among them. */
function collect({ properties, required = [] }, path, groups) {
  const rows = [];
  const inner = [];
  for (const [name, field] of Object.entries(properties)) {
    rows.push(`| \`${name}\`${required.includes(name) ? ' (required)' : ''} | ${typeText(field)} | ${cell(field.description)} |`);
    if (field.properties !== undefined) inner.push([field, `${path}.${name}`]);
    else if (field.additionalProperties?.properties !== undefined) inner.push([field.additionalProperties, `${path}.${name}.NAME`]);
  }
  groups.push(`### \`${path}\`\n\n| field | value | meaning |\n|---|---|---|\n${rows.join('\n')}\n`);
  for (const [object, at] of inner) collect(object, at, groups);
}

function typeText(field) {
  if (field.enum !== undefined) return field.enum.map((one) => `\`${one}\``).join(', ');
  switch (field.type) {
    case 'boolean': return '`true`, `false`';
    case 'integer': return `a whole number from ${field.minimum} to ${field.maximum}`;
    case 'number': return field.minimum === undefined ? `a number above ${field.exclusiveMinimum}, up to ${field.maximum}` : `a number from ${field.minimum} to ${field.maximum}`;
    case 'string': return field.maxLength === undefined ? 'text' : `text, up to ${field.maxLength} characters`;
    case 'array': return `a list: ${typeText(field.items)}`;
    case 'object': return field.properties === undefined ? `by name: ${field.additionalProperties.properties === undefined ? typeText(field.additionalProperties) : 'the fields below'}` : 'the fields below';
    default: throw new Error(`The reference cannot describe a field of type ${field.type}.`);
  }
}

function cell(text) {
  return (text ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function providerSection() {
  const rows = providers.map(({ id, name, aliases = [], baseUrls, keyRequired, simulated }) => {
    const [url] = Object.values(baseUrls);
    return `| \`${id}\`${aliases.length === 0 ? '' : `, ${aliases.map((alias) => `\`${alias}\``).join(', ')}`} | ${cell(name)} | ${simulated === true ? 'played by the server of the editor' : url === undefined || url === '' ? '`baseUrl` is needed' : `\`${url}\``} | ${keyRequired ? 'yes' : 'no'} |`;
  });
  return `## Providers\n\nWhat \`provider\` can be.\n\n| id | provider | address | a key is needed |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}
