/** HTML out of templates: what stands in braces is escaped, unless it is markup itself. Nothing else writes HTML. */
import { printableLines } from '../../../pki/der/text.ts'

/** Text that is HTML already. */
export interface Markup {
  readonly markup: string
}

type Part = Markup | string | number | undefined | readonly Part[]

/** Fills a template. */
export function html(template: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: String.raw({ raw: template }, ...parts.map(format)) }
}

function format(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string' || typeof part === 'number') return escape(String(part))
  if (isMarkup(part)) return part.markup
  return part.map(format).join('')
}

function isMarkup(part: Markup | readonly Part[]): part is Markup {
  return 'markup' in part
}

function escape(text: string): string {
  return printableLines(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
