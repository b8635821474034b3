/**
 * Texts that strangers wrote, fit to be shown: on every way to a terminal, a log or a page the same characters count as
 * harmful, those that move a cursor, reverse a text or cannot be seen.
 */

/** As question marks. */
export function printable(text: string): string {
  return text.replace(unprintable, '?')
}

/** The same of several lines, which stay lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** As `\u{202e}`, where it matters what is there. */
export function escapeUnprintable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
}

const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
