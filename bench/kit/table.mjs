// Tables as Markdown that also reads well on a terminal: one text for both.

/**
 * Format rows as an aligned Markdown table.
 *
 * @param {string[]} head column titles; a title that ends in ":" is right-aligned
 * @param {string[][]} rows
 */
export function formatTable(head, rows) {
  const titles = head.map((title) => title.replace(/:$/, ''))
  const isRight = head.map((title) => title.endsWith(':'))
  const widths = titles.map((title, column) => Math.max(title.length, 3, ...rows.map((row) => row[column].length)))
  const line = (cells) =>
    `| ${cells.map((cell, column) => (isRight[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (isRight[column] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  return [line(titles), rule, ...rows.map(line)].join('\n')
}
