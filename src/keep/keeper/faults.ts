/** What is wrong with the store, once for all certificates: a full disk is one piece of news, not a thousand. */
import type { StapleError } from '../../errors.ts'

export interface Faults {
  /** Remembers that a certificate's staple met this failure; true when nobody's has met the same before. */
  isNews(certificateKey: string, error: StapleError): boolean
  /** It works again for this one; true when the failure it had is now nobody's any more. */
  mend(certificateKey: string): boolean
}

/** Creates a memory in which nothing is wrong. */
export function createFaults(): Faults {
  const faultOf = new Map<string, string>()
  const suffering = new Map<string, Set<string>>()
  const mend = (certificateKey: string) => {
    const fault = faultOf.get(certificateKey)
    if (fault === undefined) return false
    faultOf.delete(certificateKey)
    const others = suffering.get(fault)
    others?.delete(certificateKey)
    return others?.size === 0 && suffering.delete(fault)
  }
  return {
    isNews(certificateKey, error) {
      const fault = describeFault(error)
      if (faultOf.get(certificateKey) === fault) return false
      mend(certificateKey)
      faultOf.set(certificateKey, fault)
      const others = suffering.get(fault)
      if (others) {
        others.add(certificateKey)
        return false
      }
      suffering.set(fault, new Set([certificateKey]))
      return true
    },
    mend,
  }
}

/** Without the path, which differs by certificate. */
function describeFault({ code, cause }: StapleError): string {
  const systemCode = (cause as NodeJS.ErrnoException | undefined)?.code
  return systemCode === undefined ? code : `${code} ${systemCode}`
}
