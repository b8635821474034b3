/** Internet addresses of certificates as text. */

/** Formats 4 or 16 octets; version 6 in the form of RFC 5952: lower case, the longest run of zeros cut. */
export function formatIpAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  const groups: number[] = []
  for (let at = 0; at < 16; at += 2) groups.push((octets[at] as number) * 256 + (octets[at + 1] as number))
  let longest = { from: -1, length: 1 }
  for (let from = 0; from < 8; from++) {
    let length = 0
    while (groups[from + length] === 0) length++
    if (length > longest.length) longest = { from, length }
  }
  const hex = groups.map((group) => group.toString(16))
  if (longest.from < 0) return hex.join(':')
  return `${hex.slice(0, longest.from).join(':')}::${hex.slice(longest.from + longest.length).join(':')}`
}
