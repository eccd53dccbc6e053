import { t } from '@vscode/l10n';
import { escapeMarkdown } from '../../base/outcomeWording.ts';
import { notConcerned } from './drillReportModel.ts';
import type { DrillReportCell, DrillReportPage, DrillReportRoute } from './drillReportModel.ts';

/** The report as Markdown, for an issue or a message: the same facts as the page, in the same order. */
export function drillReportMarkdown(page: DrillReportPage): string {
  const blocks = [
    `# ${t('Fire drill report')}`,
    escapeMarkdown(page.verdict),
    escapeMarkdown(page.made),
    page.drills.map(sentence => `> ${escapeMarkdown(sentence)}`).join('\n>\n'),
    ...(page.matrix.rows.length === 0 ? [] : [`## ${t('When this is lost')}`, matrixTable(page)]),
    ...page.routes.flatMap(routeBlocks),
  ];
  return `${blocks.filter(block => block !== '').join('\n\n')}\n`;
}

function matrixTable({ matrix }: DrillReportPage): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line([t('Lost'), ...matrix.columns.map(escapeMarkdown)]),
    line(['lost', ...matrix.columns].map(() => ':--')),
    ...matrix.rows.map(row => line([`${row.kind} ${escapeMarkdown(row.name)}`, ...row.cells.map(cellText)])),
  ].join('\n');
}

function cellText({ result, by, note }: DrillReportCell): string {
  if (result === notConcerned()) return '–';
  return `${result}${by === undefined ? '' : `: ${escapeMarkdown(by)}`}${note === undefined ? '' : ` (${escapeMarkdown(note.replace(/\.$/, ''))})`}`;
}

function routeBlocks(route: DrillReportRoute): string[] {
  return [
    `## ${route.kind} ${escapeMarkdown(route.name)}: ${route.verdict.charAt(0).toLowerCase()}${route.verdict.slice(1)}`,
    route.gaps.map(gap => `- ${escapeMarkdown(gap.problem)} ${escapeMarkdown(gap.action)}`).join('\n'),
    route.targets.map((target, index) =>
      `${String(index + 1)}. ${escapeMarkdown(target.target)}: ${target.state}${target.note === undefined ? '' : ` (${escapeMarkdown(target.note)})`}`).join('\n'),
  ];
}
