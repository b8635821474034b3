/** Text in lines of a width, for a terminal. */

/** Breaks a text between words; a word that is longer than a line stands alone, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(' ')) {
      const longer = line === '' ? word : `${line} ${word}`
      if (longer.length <= width || line === '') line = longer
      else {
        lines.push(line)
        line = word
      }
    }
    return [...lines, line]
  })
}

/** The same, the first line after `head`, the others under it. */
export function hang(head: string, text: string, width: number, indent: number = head.length): string[] {
  const [first = '', ...rest] = wrap(text, Math.max(width - indent, 20))
  return [`${head}${first}`, ...rest.map((line) => `${' '.repeat(indent)}${line}`)]
}
