/** Strangers' words in our records: cut short, and with nothing in them that steers a terminal. */
import { printable } from '../../pki/der/text.ts'

const shownAtMost = 512

export function shorten(text: string, limit: number = shownAtMost): string {
  return printable(text.slice(0, limit))
}

/** For a message. */
export function quote(text: string): string {
  const limit = 120
  return `"${shorten(text, limit)}${text.length > limit ? '…' : ''}"`
}
