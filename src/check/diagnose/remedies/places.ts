/** Where the lines of the remedies keep things, and the commands that put them there. */
import type { RemedyFacts } from './contract.ts'

/** PEM: leaf, then intermediates. */
export function certificateFile({ name }: RemedyFacts): string {
  return `/etc/ssl/${name}/fullchain.pem`
}

/** PEM: intermediates and root, without the leaf. */
export function chainFile({ name }: RemedyFacts): string {
  return `/etc/ssl/${name}/chain.pem`
}

/** PEM: the issuer alone. */
export function issuerFile({ name }: RemedyFacts): string {
  return `/etc/ssl/${name}/issuer.pem`
}

/** DER: the response to staple. */
export function stapleFile({ name }: RemedyFacts): string {
  return `/var/lib/staples/${name}.der`
}

/** The command that fetches a verified response into the file. */
export function fetchInto(facts: RemedyFacts, file: string = stapleFile(facts)): string {
  return `staplewright fetch ${certificateFile(facts)} --out ${file}`
}
