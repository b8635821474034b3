// How long a client waits for a connection that it may use: without a look at revocation, with a staple, with an answer
// of the CA from near and far, with one that is held, and with a session resumed. Servers and responders are a process of
// their own; a responder is 50 ms or 300 ms away by answering so much later.

import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { connect as connectTls } from 'node:tls'
import { pathToFileURL } from 'node:url'
import { converse, freePort } from '../kit/child.mjs'
import { describeMachine, repository } from '../kit/machine.mjs'
import { median, summarise } from '../kit/statistics.mjs'
import { formatTable } from '../kit/table.mjs'
import { createMaterial, writePlan } from './material.mjs'

const defaults = { rounds: 15, seconds: 0.5 }

/** How far away the responders are. */
const delays = [0, 50, 300]

/**
 * Measure every way to learn a status.
 *
 * @returns {Promise<{ markdown: string, failures: string[] }>}
 */
export async function run(values) {
  const { rounds, seconds } = { ...defaults, ...values }
  const dist = path.resolve(values.dist ?? path.join(repository, 'dist'))
  const load = (file) => import(pathToFileURL(path.join(dist, file)).href)
  const [ocsp, { signOcspResponse }, { createPeerVerifier }] = [
    await load('pki/ocsp/index.js'),
    await load('pki/ocsp/sign.js'),
    await load('check/peer/index.js'),
  ]
  const directory = mkdtempSync(path.join(os.tmpdir(), 'staplewright-bench-'))
  let peers
  try {
    const ports = await Promise.all(delays.map(freePort))
    const urls = ports.map((port) => `http://127.0.0.1:${port}/`)
    const { ca, leaves } = await createMaterial({ directory, ocsp, signOcspResponse, urls })
    const base64 = (bytes) => Buffer.from(bytes).toString('base64')
    const plan = writePlan(directory, {
      responders: leaves.map(({ response }, index) => {
        return { port: ports[index], delayMs: delays[index], response: base64(response) }
      }),
      servers: [...leaves, { ...leaves[0], staple: base64(leaves[0].response) }],
    })
    peers = converse(process.execPath, [path.join(import.meta.dirname, 'servers/peers.mjs'), plan])
    const [near, at50, at300, stapled] = JSON.parse(await peers.hear())
    const cells = createCells({ createPeerVerifier, ca, near, at50, at300, stapled })
    for (const cell of cells) await cell.connect()
    for (let round = 0; round < rounds; round++) {
      for (const cell of round % 2 === 0 ? cells : [...cells].reverse()) await sample(cell, seconds)
    }
    return report(cells, `npm run bench -- connect --rounds ${rounds} --seconds ${seconds}`)
  } finally {
    await peers?.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Each connects once and resolves with the milliseconds it took; who vouched is checked every time. */
function createCells({ createPeerVerifier, ca, near, at50, at300, stapled }) {
  const target = (port) => ({ host: '127.0.0.1', port, servername: 'localhost', ca })
  const options = { privateAddresses: 'allow', proxy: 'none', resumption: 'off' }
  const judged = async (verifier, port, source) => {
    const started = performance.now()
    const socket = await verifier.connect(target(port))
    const ms = performance.now() - started
    const verdict = verifier.verdictOf(socket)
    if (verdict.source !== source) throw new Error(`${verdict.source} vouched, expected ${source}`)
    await ended(socket)
    return ms
  }
  /** Nothing held, and no connection to the responder open: as for a peer that one meets for the first time. */
  const live = async (port) => {
    const verifier = createPeerVerifier(options)
    const ms = await judged(verifier, port, 'ocsp')
    await verifier.close()
    return ms
  }
  const demanding = createPeerVerifier({ ...options, policy: 'require' })
  const holding = createPeerVerifier(options)
  const resuming = createPeerVerifier({ ...options, policy: 'require', resumption: 'remember' })
  let isFirst = true
  return [
    { name: 'no revocation check', connect: () => unchecked(target(stapled)) },
    { name: 'the staple', connect: () => judged(demanding, stapled, 'staple') },
    { name: 'OCSP, a responder on this machine', connect: () => live(near) },
    { name: 'OCSP, a responder 50 ms away', connect: () => live(at50) },
    { name: 'OCSP, a responder 300 ms away', connect: () => live(at300) },
    { name: 'an answer that is held', connect: () => judged(holding, at300, 'ocsp') },
    {
      name: 'a session resumed while its proof holds',
      connect: () => {
        const source = isFirst ? 'staple' : 'session'
        isFirst = false
        return judged(resuming, stapled, source)
      },
    },
  ].map((cell) => ({ ...cell, samples: [] }))
}

/** Node's own client, which looks at chain and name only. */
function unchecked(target) {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const socket = connectTls(target, async () => {
      const ms = performance.now() - started
      await ended(socket)
      resolve(ms)
    })
    socket.once('error', reject)
  })
}

/** Reads the server's word to its end: the tickets of TLS 1.3 have come by then. */
async function ended(socket) {
  for await (const _ of socket);
}

/** The median of as many connections as fit, at least two. */
async function sample(cell, seconds) {
  const end = performance.now() + seconds * 1000
  const times = []
  do times.push(await cell.connect())
  while (times.length < 2 || performance.now() < end)
  cell.samples.push(median(times))
}

function report(cells, command) {
  const [bare] = cells.map(({ samples }) => summarise(samples).median)
  const markdown = [
    '## Connecting, with a look at revocation',
    '',
    `\`${command}\` on ${new Date().toISOString().slice(0, 10)}; ${describeMachine()}, Node ${process.versions.node}.`,
    '',
    formatTable(
      ['how the status is learned', 'until the socket may be used, ms:', 'min..max:', 'added, ms:'],
      cells.map(({ name, samples }) => {
        const { median: ms, min, max } = summarise(samples)
        return [name, ms.toFixed(2), `${min.toFixed(2)}..${max.toFixed(2)}`, (ms - bare).toFixed(2)]
      }),
    ),
    '',
    `TLS 1.3, P-256, everything on loopback; each figure is the median of ${cells[0].samples.length} rounds. A responder that is`,
    'far away answers later by one round trip; the one that opens the TCP connection to it is not counted, so in the wild a',
    'first question costs about twice as much.',
  ].join('\n')
  return { markdown, failures: [] }
}
