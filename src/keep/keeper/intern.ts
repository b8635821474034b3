/**
 * One copy of the strings that thousands of entries have in common: responder URLs and the names of signers.
 *
 * Strings fresh from a decoder are trees of pieces, several times the size of their text; a copy is flat.
 */

export interface Interner {
  text(text: string): string
  /** The one array of these texts. */
  list(texts: readonly string[]): readonly string[]
}

/** Creates an empty interner. */
export function createInterner(): Interner {
  const texts = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  const text = (each: string) => {
    const known = texts.get(each)
    if (known !== undefined) return known
    if (texts.size >= mostKept) texts.clear()
    const flat = flatten(each)
    texts.set(flat, flat)
    return flat
  }
  return {
    text,
    list(each) {
      const name = each.join('\n')
      const known = lists.get(name)
      if (known !== undefined) return known
      if (lists.size >= mostKept) lists.clear()
      const flat = each.map(text)
      lists.set(flatten(name), flat)
      return flat
    },
  }
}

/** Copies a string into one piece. */
export function flatten(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}

const mostKept = 10_000
