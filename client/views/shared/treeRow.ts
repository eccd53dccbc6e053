/** What a line of a view in the sidebar shows, in plain data. `id` is stable, so that open branches stay open. */
export interface TreeRow<Row> {
  id: string;
  label: string;
  description: string;
  /** Plain text; several lines. */
  tooltip: string;
  icon: string;
  /** Theme colour of the icon. */
  color: string | undefined;
  /** What the context menus go by. */
  context: string;
  /** Read out instead of label and description. */
  spoken: string;
  children: Row[];
  expanded: boolean;
}
