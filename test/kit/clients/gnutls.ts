/** `gnutls-cli`: asks for a staple always, and refuses a Must-Staple certificate that comes without one. */
import { runProgram } from '../program.ts'
import { type ClientOutcome, type ClientTarget, defaultTimeoutMs, findLine } from './outcome.ts'

/** Connects, lets GnuTLS verify chain, name and staple, and closes. */
export async function connectWithGnutls(target: ClientTarget): Promise<ClientOutcome> {
  const name = target.name ?? 'localhost'
  const { code, output } = await runProgram(
    'gnutls-cli',
    [
      ...['--x509cafile', target.rootFile, '--port', String(target.port)],
      ...['--sni-hostname', name, '--verify-hostname', name, '127.0.0.1'],
    ],
    { timeoutMs: target.timeoutMs ?? defaultTimeoutMs },
  )
  const connected = code === 0 && /Handshake was completed/.test(output)
  return {
    connected,
    ...stapleOf(output),
    ...(connected
      ? {}
      : { refusedBecause: findLine(output, /NOT trusted/) ?? findLine(output, /Fatal error/) ?? `exit ${code}` }),
    output,
  }
}

function stapleOf(output: string): Pick<ClientOutcome, 'staple'> {
  if (/OCSP status is missing/.test(output)) return { staple: { present: false } }
  if (/chain is revoked/.test(output)) return { staple: { present: true, certStatus: 'revoked' } }
  if (/OCSP status response is invalid/.test(output)) return { staple: { present: true } }
  const options = findLine(output, /Options:/)
  if (options === undefined) return {}
  return {
    staple: options.includes('OCSP status request') ? { present: true, certStatus: 'good' } : { present: false },
  }
}
