/** `openssl s_client -status`: asks for a staple, shows it in full, and verifies the chain but not the staple. */
import { runProgram } from '../program.ts'
import { type CertStatus, type ClientOutcome, type ClientTarget, defaultTimeoutMs, findLine } from './outcome.ts'

export interface OpensslTarget extends ClientTarget {
  readonly version?: '1.2' | '1.3'
  /** Further arguments, as `-sigalgs RSA-PSS+SHA256`. */
  readonly args?: readonly string[]
}

/** Connects, reads the staple that came, and closes. */
export async function connectWithOpenssl(target: OpensslTarget): Promise<ClientOutcome> {
  const ended = await runProgram(
    'openssl',
    [
      ...['s_client', '-connect', `127.0.0.1:${target.port}`, '-servername', target.name ?? 'localhost', '-status'],
      ...['-CAfile', target.rootFile, '-verify_hostname', target.name ?? 'localhost', '-verify_return_error'],
      ...(target.version === undefined ? [] : [`-tls${target.version.replace('.', '_')}`]),
      ...(target.args ?? []),
    ],
    { name: 'openssl s_client', timeoutMs: target.timeoutMs ?? defaultTimeoutMs },
  )
  const { output } = ended
  const connected = ended.code === 0 && /^Verification: OK$/m.test(output)
  const certStatus = /Cert Status: (good|revoked|unknown)/.exec(output)?.[1] as CertStatus | undefined
  const present = /OCSP Response Status: successful/.test(output)
  const isAbsent = /OCSP response: no response sent/.test(output)
  return {
    connected,
    ...(present || isAbsent ? { staple: { present, ...(certStatus && { certStatus }) } } : {}),
    ...(connected
      ? {}
      : { refusedBecause: findLine(output, /alert|verify error|:error:|errno/) ?? `exit ${ended.code}` }),
    output,
  }
}
