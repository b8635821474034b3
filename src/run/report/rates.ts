/** How often a staple came, by address and TLS version. */
import type { TlsVersion } from '../../check/probe/record.ts'
import type { CertificateReport, TargetReport } from './shape.ts'

/** In brackets, after the rate of all. */
export function describeRates({ connections }: TargetReport, { certificateKey }: CertificateReport): string {
  const rates = new Map<string, Map<TlsVersion, { stapled: number; all: number }>>()
  for (const connection of connections) {
    if (connection.certificateKey !== certificateKey) continue
    const ofAddress = rates.get(connection.address) ?? new Map()
    rates.set(connection.address, ofAddress)
    const { stapled, all } = ofAddress.get(connection.version) ?? { stapled: 0, all: 0 }
    ofAddress.set(connection.version, { stapled: stapled + (connection.isStapled ? 1 : 0), all: all + 1 })
  }
  const parts = [...rates].map(([address, ofAddress]) => {
    const versions = [...ofAddress].map(
      ([version, { stapled, all }]) => `${formatVersion(version)} ${stapled} of ${all}`,
    )
    return `${address} ${versions.join(', ')}`
  })
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`
}

/** As people write it. */
export function formatVersion(version: TlsVersion): string {
  return version.replace('v', ' ')
}
