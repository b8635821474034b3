/** Asking responders out of turn: for all certificates, or for those that somebody means by a word. */
import type { RefreshOutcome } from '../admin/subject.ts'
import type { House } from './house.ts'

/** Asks about the certificates that `which` means; never rejects. */
export async function askAgain({ keeping, slots }: House, which: string | undefined): Promise<RefreshOutcome> {
  const { keeper } = keeping
  const entries = keeper.entries().filter(({ certificateKey, label, serialNumber }) => {
    if (which === undefined) return true
    const word = which.toLowerCase()
    const files = slots.flatMap(({ site, wanted, old }) =>
      [wanted, ...(old ? [old] : [])]
        .filter((each) => each.certificateKey === certificateKey)
        .flatMap((each) => [each.certFile, ...site.names]),
    )
    const isPrefix = word.length >= shortestPrefix && certificateKey.startsWith(word)
    return label === which || files.includes(which) || isPrefix || serialNumber === word.replaceAll(':', '')
  })
  await Promise.all(entries.map(({ certificateKey }) => keeper.refresh(certificateKey).catch(() => {})))
  const failed = entries.flatMap(({ certificateKey, label }) => {
    const error = keeper.entry(certificateKey)?.lastError
    return error ? [{ label, message: error.message }] : []
  })
  return { asked: entries.map(({ label }) => label), failed }
}

/** Shorter ones would mean too many. */
const shortestPrefix = 8
