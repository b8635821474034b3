/** Keys about what stands behind the front, and what is spoken with it. */
import { type BackendURL, backendName, backendURL, hostPort } from './address.ts'
import { oneOf, path } from './scalar.ts'
import { type Block, blockOf, createType, type Key, type Located, listOf, listOrBlock, Mistake } from './type.ts'

export const backendURLs: Key<readonly Located<BackendURL>[]> = {
  name: 'url',
  aliases: ['urls'],
  origin: 'own',
  type: listOf(backendURL, 'URLs'),
  defaultNote: 'none: needed',
  meaning: 'The URL, or several: connections go to each in turn, and one that does not answer is passed over.',
  example: 'url: "tls://10.0.0.7:443"',
}

export const backendCaFile: Key<string> = {
  name: 'ca_file',
  origin: 'own',
  type: path,
  defaultNote: "Node's own CAs",
  meaning: 'PEM file with the CAs that the certificate of a `tls://` backend must come from.',
  example: 'ca_file: "backend-ca.pem"',
}

export const backendServerName: Key<string> = {
  name: 'server_name',
  origin: 'own',
  type: backendName,
  defaultNote: "the URL's host",
  meaning: 'The name that a `tls://` backend is asked for and must prove.',
  example: 'server_name: "backend.example.net"',
}

export const backend: Key<readonly Located<BackendURL>[] | Block> = {
  name: 'backend',
  origin: 'own',
  type: listOrBlock(
    listOf(backendURL, 'URLs'),
    blockOf({ keys: [backendURLs, backendCaFile, backendServerName], idle: [] }),
  ),
  defaultNote: 'none: one is needed here, in every site, or as `--backend`',
  meaning:
    'Where connections are passed on to, once TLS is taken off: `tcp://host:port`, `tls://host:port` (verified, unless `danger { unverified_backends }`), or `nats://host:port`, which is `tcp://` and `protocol: nats` in one. Several are served in turn; all of them are over TLS or none is. `--backend` takes one or several with commas between.',
  example: 'backend: "tcp://127.0.0.1:8080"',
}

export const protocol: Key<'tcp' | 'nats'> = {
  name: 'protocol',
  origin: 'own',
  type: oneOf('tcp', 'nats'),
  defaultNote: '`tcp`; `nats` where a backend is a `nats://` URL',
  meaning:
    '`tcp`: TLS comes first and bytes are passed on as they are. `nats`: clients are shown the INFO of the backend before TLS, as nats-server does, and its fields about TLS and addresses are those of this front.',
  example: 'protocol: nats',
}

export const advertise: Key<readonly Located<string>[]> = {
  name: 'advertise',
  origin: 'own',
  type: listOf(hostPort, 'addresses', true),
  defaultNote: 'none: they are told of no other address',
  meaning:
    "With `protocol: nats`: the addresses that clients are told of in place of the backends' own (`connect_urls`), which would lead them past this front.",
  example: 'advertise: ["nats.example.net:4222"]',
}

export const sendProxyProtocol: Key<'v1' | 'v2' | 'none'> = {
  name: 'send_proxy_protocol',
  origin: 'own',
  type: createType('`v1`, `v2`, or boolean', 'v1, v2, true or false', (value) => {
    if (value.kind === 'boolean') return value.value ? 'v2' : 'none'
    const word = value.kind === 'string' ? value.value.toLowerCase() : value.source
    if (word === 'v1' || word === 'v2') return word
    return new Mistake(
      'no version of the PROXY protocol',
      word === '1' || word === '2' ? `write v${word}` : 'write v1 or v2',
    )
  }),
  defaultNote: 'none',
  meaning:
    "Tell backends the client's address in a PROXY header before all else; `true` is `v2`. They must expect one: to others it is garbage.",
  example: 'send_proxy_protocol: v2',
}
