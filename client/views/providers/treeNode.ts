/** One line of the Providers view, in plain data. `id` is stable, so that open branches stay open. */
export interface TreeNode {
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
  children: TreeNode[];
  expanded: boolean;
  /** What commands of this line need to know. */
  endpoint: string;
  keyId?: string;
  model?: string;
  route?: string;
}
