/** Java's own TLS (JSSE) with its own revocation check, by a program of ours that is compiled once for each process. */
import { fileURLToPath } from 'node:url'
import { runProgram } from '../program.ts'
import { temporaryDirectory } from '../temporary.ts'
import { type ClientOutcome, type ClientTarget, defaultTimeoutMs, findLine } from './outcome.ts'

export interface JavaTarget extends ClientTarget {
  readonly version?: '1.2' | '1.3'
  /** By their names in the registry; default Java's own. */
  readonly cipherSuites?: readonly string[]
  /** `jdk.tls.client.SignatureSchemes`, as `rsa_pss_rsae_sha256`; default Java's own. */
  readonly signatureSchemes?: readonly string[]
  /**
   * Who says that a staple is needed: our program, of the leaf alone, and where Java would otherwise ask nobody listens
   * (`staple`, default); or Java's switches (`com.sun.net.ssl.checkRevocation`, `ocsp.enable`), of the whole chain but its
   * root, and Java asks where the certificate says if no staple came.
   */
  readonly check?: 'staple' | 'switches'
}

export interface JavaOutcome extends ClientOutcome {
  /** Lower-case hex, of the leaf shown. */
  readonly serialHex?: string
  readonly keyType?: 'EC' | 'RSA' | 'EdDSA'
  readonly protocol?: string
  readonly cipherSuite?: string
  /** `ExtendedSSLSession.getStatusResponses()`: the leaf's comes first. */
  readonly stapleBytes?: Uint8Array
}

/** Shakes hands, lets Java verify chain, name and staple, and closes. */
export async function connectWithJava(target: JavaTarget): Promise<JavaOutcome> {
  compiled ??= compile()
  const { version, cipherSuites, signatureSchemes, check = 'staple' } = target
  const { code, output } = await runProgram(
    'java',
    [
      // One short run: what makes a JVM fast later only makes it slow to start.
      ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-cp', await compiled],
      ...['-Djdk.tls.client.enableStatusRequestExtension=true'],
      ...(check === 'switches' ? ['-Dcom.sun.net.ssl.checkRevocation=true'] : []),
      ...(signatureSchemes ? [`-Djdk.tls.client.SignatureSchemes=${signatureSchemes.join(',')}`] : []),
      ...['Handshake', String(target.port), target.name ?? 'localhost', target.rootFile],
      ...[version ? `TLSv${version}` : '-', cipherSuites?.join(',') ?? '-', check],
    ],
    { name: 'java Handshake', timeoutMs: target.timeoutMs ?? defaultTimeoutMs },
  )
  const read = (key: string) => new RegExp(`^${key}: (.+)$`, 'm').exec(output)?.[1]
  if (code !== 0) {
    return { connected: false, refusedBecause: findLine(output, /^refused: /) ?? `exit ${code}`, output }
  }
  const staple = read('staple')
  const [serialHex, keyType, protocol, cipherSuite] = ['serialNumber', 'keyType', 'protocol', 'cipherSuite'].map(read)
  return {
    connected: true,
    staple: { present: staple !== undefined },
    ...(staple !== undefined && { stapleBytes: new Uint8Array(Buffer.from(staple, 'hex')) }),
    ...({ serialHex, keyType, protocol, cipherSuite } as Required<
      Pick<JavaOutcome, 'serialHex' | 'keyType' | 'protocol' | 'cipherSuite'>
    >),
    output,
  }
}

let compiled: Promise<string> | undefined

/** Resolves with the class path. */
async function compile(): Promise<string> {
  const directory = temporaryDirectory('java')
  const source = fileURLToPath(new URL('java/Handshake.java', import.meta.url))
  const { code, output } = await runProgram('javac', ['-d', directory, source], { timeoutMs: 60_000 })
  if (code !== 0) throw new Error(`javac ${source}:\n${output}`)
  return directory
}
