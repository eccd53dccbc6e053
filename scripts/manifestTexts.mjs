/** Texts of package.json, which stand in package.nls.json and there under a key. */
const textProperties = new Set(['title', 'description', 'markdownDescription', 'deprecationMessage', 'markdownDeprecationMessage', 'patternErrorMessage', 'errorMessage']);
const enumProperties = new Set(['enumDescriptions', 'markdownEnumDescriptions']);

/**
 * Replaces every text of a setting's JSON Schema by `%key%`, with a key that says where it stands:
 * `waybill.routes.*.strategy.description`, `waybill.routes.*.strategy.enum.fastest`.
 * @param schema the schema of the setting
 * @param {string} place the setting's name
 * @param {Record<string, string>} texts gets the texts, by key
 */
export function keyed(schema, place, texts) {
  const put = (key, text) => {
    texts[key] = text;
    return `%${key}%`;
  };
  const visit = (value, path) => {
    if (Array.isArray(value)) return value.map((entry, index) => visit(entry, `${path}.${index}`));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, child]) => {
      if (textProperties.has(name) && typeof child === 'string') return [name, put(`${path}.description`, child)];
      if (enumProperties.has(name)) return [name, child.map((text, index) => put(`${path}.enum.${value.enum[index]}`, text))];
      if (name === 'properties') return [name, Object.fromEntries(Object.entries(child).map(([field, inner]) => [field, visit(inner, `${path}.${field}`)]))];
      if (name === 'default' || name === 'enum') return [name, child];
      return [name, visit(child, name === 'additionalProperties' ? `${path}.*` : `${path}.${name}`)];
    }));
  };
  return visit(schema, place);
}

/** The texts in the order of their keys, as they are written to a file. */
export function inOrder(texts) {
  return Object.fromEntries(Object.entries(texts).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** A value of package.json as the editor reads it: with the texts in place of their keys. */
export function withTexts(value, texts) {
  if (typeof value === 'string') return /^%.+%$/.test(value) ? texts[value.slice(1, -1)] ?? value : value;
  if (Array.isArray(value)) return value.map((entry) => withTexts(entry, texts));
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([name, child]) => [name, withTexts(child, texts)])) : value;
}
