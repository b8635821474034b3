/** Keys of `sites`: what is served under which name. */
import { serverName } from './address.ts'
import { backend } from './backend-keys.ts'
import { onRevoked, onStale, onUnknown } from './stapling-keys.ts'
import { tls } from './tls-keys.ts'
import { type Block, blockOf, type Key, type Located, listOf, type Type } from './type.ts'

export const siteNames: Key<readonly Located<string>[]> = {
  name: 'names',
  origin: 'own',
  type: listOf(serverName, 'names'),
  defaultNote: 'the DNS names in the certificates',
  meaning: 'The names that lead to this site; `*` may stand for the first label.',
  example: 'names: ["example.net", "*.example.net"]',
}

const site: Type<Block> = blockOf({ keys: [siteNames, tls, backend, onRevoked, onUnknown, onStale], idle: [] })

export const sites: Key<readonly Located<Block>[]> = {
  name: 'sites',
  origin: 'own',
  type: listOf(site, 'sites'),
  defaultNote: 'none: `tls` alone is the one site',
  meaning:
    'Further sites, chosen by the name that a client asks for (SNI). With a `tls` beside them, that is the default site; else the first is. What a site does not say is as at the top.',
  example: 'sites [ { names: ["a.example.net"], tls { cert_file: "a.pem", key_file: "a-key.pem" } } ]',
}
