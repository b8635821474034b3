/**
 * Colours and marks for a terminal, plain text for everything else.
 *
 * Decided once per stream: a terminal that is not dumb, no NO_COLOR, no --no-color.
 */
import { styleText } from 'node:util'

/** Wraps text in a colour, or leaves it alone. */
export interface Style {
  readonly isColoured: boolean
  good(text: string): string
  warn(text: string): string
  bad(text: string): string
  dim(text: string): string
  strong(text: string): string
}

/** Chooses the style for a stream. */
export function createStyle(
  stream: { readonly isTTY?: boolean },
  environment: NodeJS.ProcessEnv,
  wantsColour = true,
): Style {
  const isColoured = wantsColour && stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text
  return {
    isColoured,
    good: paint('green'),
    warn: paint('yellow'),
    bad: paint('red'),
    dim: paint('dim'),
    strong: paint('bold'),
  }
}
