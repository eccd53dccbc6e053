import type { TreeRow } from '../shared/treeRow.ts';

/** One line of the Providers view. */
export interface TreeNode extends TreeRow<TreeNode> {
  /** What commands of this line need to know. */
  endpoint: string;
  keyId?: string;
  model?: string;
  route?: string;
}
