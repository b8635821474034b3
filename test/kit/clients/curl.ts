/** `curl --cert-status`: refuses a server without a good staple, Must-Staple or not. */
import { runProgram } from '../program.ts'
import { type ClientOutcome, type ClientTarget, defaultTimeoutMs, findLine } from './outcome.ts'

/** Asks for `/`. The body is in the output. */
export async function connectWithCurl(target: ClientTarget): Promise<ClientOutcome> {
  const name = target.name ?? 'localhost'
  const timeoutMs = target.timeoutMs ?? defaultTimeoutMs
  const { code, output } = await runProgram(
    'curl',
    [
      // -q: not the ~/.curlrc of whoever runs the tests; it counts only as the first argument.
      ...['-q', '--cert-status', '--cacert', target.rootFile, '--resolve', `${name}:${target.port}:127.0.0.1`],
      ...['--noproxy', '*', '--silent', '--show-error', '--max-time', String(timeoutMs / 1000)],
      `https://${name}:${target.port}/`,
    ],
    { timeoutMs: timeoutMs + 5000 },
  )
  if (code === 0) return { connected: true, staple: { present: true, certStatus: 'good' }, output }
  return {
    connected: false,
    ...stapleOf(output),
    refusedBecause: findLine(output, /^curl: \(/) ?? `exit ${code}`,
    output,
  }
}

function stapleOf(output: string): Pick<ClientOutcome, 'staple'> {
  if (/No OCSP response received/.test(output)) return { staple: { present: false } }
  if (/certificate revocation reason/.test(output)) return { staple: { present: true, certStatus: 'revoked' } }
  if (/certificate status is unknown/i.test(output)) return { staple: { present: true, certStatus: 'unknown' } }
  return /OCSP/.test(output) ? { staple: { present: true } } : {}
}
