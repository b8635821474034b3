/** Strangers' words in our records: cut short, and with nothing in them that steers a terminal. */

const shownAtMost = 512

export function printable(text: string, limit: number = shownAtMost): string {
  return text.slice(0, limit).replace(/\p{Cc}/gu, '?')
}

/** For a message. */
export function quote(text: string): string {
  const limit = 120
  return `"${printable(text, limit)}${text.length > limit ? '…' : ''}"`
}
