import * as vscode from 'vscode';
import type { TreeRow } from './treeRow.ts';

/** How a line is shown. */
export function treeItemOf({ id, label, description, tooltip, icon, color, context, spoken, children, expanded }: TreeRow<unknown>): vscode.TreeItem {
  const item = new vscode.TreeItem(label, children.length === 0 ? vscode.TreeItemCollapsibleState.None
    : expanded ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed);
  item.id = id;
  item.description = description;
  item.tooltip = tooltip;
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  item.contextValue = context;
  item.accessibilityInformation = { label: spoken };
  return item;
}
