/** What hover says of a target besides what the file says: sentences of Markdown, each a line. */
export type Described = readonly string[];

/** What is known outside of the file that is edited; asked while a person types, so it reads memory only. */
export interface RulesKnowledge {
  /** Endpoints that a file without endpoints of its own can name. */
  endpoints(): readonly string[];
  /** Models known at an endpoint of the file, or of those above. */
  modelsAt(endpoint: string): readonly string[];
  /** Price, context window and health of now; undefined where there is no such endpoint. */
  target(endpoint: string, model: string): Described | undefined;
  /** Provider, address and health of now. */
  endpoint(name: string): Described | undefined;
  /** The health of each target that a route leads to. */
  route(name: string): Described | undefined;
  /** Where a model is served, and for how much. */
  model(name: string): Described;
}
