// CRLs of a hundred thousand and a million entries: decode, verify, look up the last serial number that is listed and one
// that is not.
// Each reader in a process of its own, in turns: Staplewright, @peculiar/x509, `openssl crl`; and the signature check alone.

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { run as runProgram } from '../kit/child.mjs'
import { describeMachine, programVersion, repository } from '../kit/machine.mjs'
import { median } from '../kit/statistics.mjs'
import { formatTable } from '../kit/table.mjs'
import { makeMaterial } from './material.mjs'

const defaults = { rounds: 5 }
const sizes = [100_000, 1_000_000]

/** The most that may be held beyond the DER, however many entries there are: no entry becomes an object. */
const mostHeldBytes = 1024 * 1024

/** Longer than this, a reader is given up. */
const patienceMs = 120_000

/**
 * Measure every reader.
 *
 * @returns {Promise<{ markdown: string, failures: string[] }>}
 */
export async function run(values) {
  const { rounds } = { ...defaults, ...values }
  const dist = path.resolve(values.dist ?? path.join(repository, 'dist'))
  const directory = mkdtempSync(path.join(os.tmpdir(), 'staplewright-bench-'))
  try {
    const wanted = new RegExp(values.only ?? '')
    const cells = []
    for (const entries of sizes) {
      const place = path.join(directory, `${entries}`)
      const { bytes } = await makeMaterial(place, dist, entries)
      for (const who of Object.keys(names).filter((name) => wanted.test(name))) {
        cells.push({ who, entries, place, bytes, samples: [] })
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const { who, place, samples } of round % 2 === 0 ? cells : [...cells].reverse()) {
        samples.push(await (who === 'openssl' ? askOpenssl(place) : askReader(who, place, dist)))
      }
    }
    return report(cells, `npm run bench -- crl --rounds ${rounds}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function askReader(who, directory, dist) {
  const subject = path.join(import.meta.dirname, 'subject.mjs')
  const args = ['--expose-gc', '--max-old-space-size=6144', subject, who, directory, dist]
  try {
    return JSON.parse(await runProgram(process.execPath, args, { timeout: patienceMs }))
  } catch (error) {
    return { failure: /^\w*Error: .*/m.exec(error.message)?.[0] ?? error.message.split('\n')[0] }
  }
}

/** `openssl crl` parses, verifies and ends: its whole life in wall time, and the most memory it had. */
async function askOpenssl(directory) {
  const file = (name) => path.join(directory, name)
  const args = ['crl', '-inform', 'DER', '-in', file('list.crl'), '-noout', '-CAfile', file('ca.pem')]
  const started = performance.now()
  const child = spawn('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let peak = 0
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const look = setInterval(() => {
    try {
      const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1]
      peak = Math.max(peak, Number(kilobytes ?? 0) * 1024)
    } catch {
      // It has ended.
    }
  }, 5)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(look)
  if (code !== 0 || !said.includes('verify OK')) return { failure: said.trim() || `ended with ${code}` }
  return { whole: performance.now() - started, peak }
}

const names = {
  bare: 'hash and signature alone',
  staplewright: 'Staplewright',
  peculiar: `@peculiar/x509 ${versionOf('@peculiar/x509')}`,
  openssl: `openssl crl ${programVersion('openssl', ['version'], /OpenSSL (\S+)/) ?? ''}, the whole program`,
}

function report(cells, command) {
  const ms = (number) => number.toFixed(number < 10 ? 1 : 0)
  const megabytes = (number) => (number / 1e6).toFixed(1)
  const rows = cells.map(({ who, entries, bytes, samples }) => {
    const figure = (what, format) => {
      const all = samples.flatMap((sample) => sample[what] ?? [])
      return all.length === 0 ? '-' : format(median(all))
    }
    return [
      entries.toLocaleString('en'),
      megabytes(bytes),
      names[who],
      figure('decode', ms),
      figure(who === 'openssl' ? 'whole' : 'verify', ms),
      figure('hit', ms),
      figure('miss', ms),
      figure('held', megabytes),
      figure('peak', megabytes),
    ]
  })
  const failed = cells.flatMap(({ who, entries, samples }) =>
    samples.flatMap(({ failure }) => (failure ? [{ who, text: `${names[who]}, ${entries} entries: ${failure}` }] : [])),
  )
  const markdown = [
    '## Look-up in a CRL of a million entries',
    '',
    `\`${command}\` on ${new Date().toISOString().slice(0, 10)}; ${describeMachine()}, Node ${process.versions.node}.`,
    '',
    formatTable(
      [
        'entries:',
        'DER, MB:',
        'reader',
        'decode, ms:',
        'verify, ms:',
        'last entry found, ms:',
        'not found, ms:',
        'held beyond the DER, MB:',
        'peak beyond the DER, MB:',
      ],
      rows,
    ),
    '',
    `Each figure is the median of ${cells[0].samples.length} processes that did it once, with nothing warmed up. Decoding looks at every entry;`,
    'verifying hashes the whole, checks one P-256 signature and looks the certificate up. For the next certificate of the same',
    'CRL the look-up alone is left. `openssl crl` is shown with its start and its parsing, and with all of its memory, the DER',
    'included.',
    ...new Set(failed.map(({ text }) => `\n${text}`)),
  ].join('\n')
  const failures = failed.filter(({ who }) => who !== 'peculiar').map(({ text }) => text)
  for (const { who, entries, samples } of cells) {
    const held = samples.flatMap((sample) => sample.held ?? [])
    if (who !== 'staplewright' || held.length === 0 || median(held) <= mostHeldBytes) continue
    const most = megabytes(mostHeldBytes)
    failures.push(
      `${entries} entries: ${megabytes(median(held))} MB are held beyond the DER, at most ${most} are allowed`,
    )
  }
  return { markdown, failures }
}

function versionOf(name) {
  const manifest = path.join(repository, 'node_modules', name, 'package.json')
  return JSON.parse(readFileSync(manifest, 'utf8')).version
}
