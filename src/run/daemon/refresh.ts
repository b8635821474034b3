/** Asking responders out of turn: for all certificates, or for those that somebody means by a word. */
import type { RefreshOutcome } from '../admin/subject.ts'
import type { House } from './house.ts'

/** Asks about the certificates that `which` means; never rejects. */
export async function askAgain({ keeping, slots }: House, which: string | undefined): Promise<RefreshOutcome> {
  const { keeper } = keeping
  const filesOf = which === undefined ? new Map<string, ReadonlySet<string>>() : listFiles(slots)
  const entries = keeper.entries().filter(({ certificateKey, label, serialNumber }) => {
    if (which === undefined) return true
    const word = which.toLowerCase()
    const isFile = filesOf.get(certificateKey)?.has(which)
    const isPrefix = word.length >= shortestPrefix && certificateKey.startsWith(word)
    // As openssl and browsers write it: in pairs, with colons, a zero in front.
    const isSerial = serialNumber === word.replaceAll(':', '').replace(/^0+(?=.)/, '')
    return label === which || isFile || isPrefix || isSerial
  })
  await Promise.all(entries.map(({ certificateKey }) => keeper.refresh(certificateKey).catch(() => {})))
  const failed = entries.flatMap(({ certificateKey, label }) => {
    const error = keeper.entry(certificateKey)?.lastError
    return error ? [{ label, message: error.message }] : []
  })
  return { asked: entries.map(({ label }) => label), failed }
}

/** The files and names of each certificate, those that wait and those shown in their place. */
function listFiles(slots: House['slots']): ReadonlyMap<string, ReadonlySet<string>> {
  const files = new Map<string, Set<string>>()
  for (const { site, wanted, old } of slots) {
    for (const { certificateKey, certFile } of old ? [wanted, old] : [wanted]) {
      const words = files.get(certificateKey) ?? new Set()
      for (const word of [certFile, ...site.names]) words.add(word)
      files.set(certificateKey, words)
    }
  }
  return files
}

/** Shorter ones would mean too many. */
const shortestPrefix = 8
