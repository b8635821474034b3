/** What the demo prints: the stage, a sighting in full, a sighting in one line, what to type. */
import { formatName } from '../../pki/x509/name.ts'
import { formatDistance } from '../journal/span.ts'
import type { Style } from '../journal/style.ts'
import type { Sighting } from './client.ts'
import { demoValidityMs, type Stage } from './stage.ts'

export function showStage(stage: Stage, port: number, style: Style): string {
  const { root, intermediate, leaf } = stage.authority
  return `${style.strong('Staplewright demo')}: all of it runs in this process, on 127.0.0.1
  CA         ${formatName(root.subject)} > ${formatName(intermediate.subject)}
  responder  ${stage.responderURL}, its answers live ${demoValidityMs / 1000} s
  leaf       ${formatName(leaf.subject)}, Must-Staple, serial ${leaf.serialNumber.toString(16)}
  backend    ${stage.backendURL}, plain HTTP
  front      ${style.strong(`https://localhost:${port}/`)}, from ${stage.configFile}
             mode always with on_revoked: staple (mode must or always alone would stop on a revocation, exit code 3)
`
}

/** A sighting field by field. */
export function showSighting(sighting: Sighting, at: Date, style: Style): string {
  const { verified, refusal } = sighting
  const tick = (isGood: boolean) => (isGood ? style.good('✓') : style.bad('✗'))
  const lines = [
    `${tick(sighting.isAuthorized)} handshake  ${sighting.protocol} in ${Math.round(sighting.elapsedMs)} ms, chain and name ${sighting.isAuthorized ? 'accepted' : 'refused'}; the backend said ${sighting.answer}`,
  ]
  if (!sighting.staple) {
    lines.push(
      `${tick(false)} staple     none. The certificate is Must-Staple, so a strict client refuses the connection`,
    )
  } else if (refusal) {
    lines.push(
      `${tick(false)} staple     ${sighting.staple.length} bytes, refused by a strict client: ${refusal.message} (${refusal.code})`,
    )
  } else if (verified) {
    const isGood = verified.certStatus === 'good'
    const signer = verified.signer.kind === 'issuer' ? 'the issuer itself' : `${verified.signer.kind} responder`
    lines.push(
      `${tick(isGood)} staple     ${sighting.staple.length} bytes, certStatus ${isGood ? style.good('good') : style.bad(verified.certStatus)}`,
      `    thisUpdate     ${formatDistance(verified.thisUpdate, at)}`,
      `    nextUpdate     ${verified.nextUpdate ? formatDistance(verified.nextUpdate, at) : 'not stated'}`,
      `    signer         ${verified.signer.name}, ${signer}`,
      `    strict client  ${judgement(verified.certStatus, verified.revocationReason, style)}`,
    )
  }
  return `${lines.join('\n')}\n`
}

/** A sighting in one line, for the sightings after the first. */
export function showSightingBriefly(sighting: Sighting, at: Date, style: Style): string {
  const hour = style.dim(at.toISOString().slice(11, 19))
  const { verified, refusal } = sighting
  if (!sighting.staple)
    return `${hour} ${style.bad('✗')} ${style.strong('client')}  no staple came: a strict client refuses this Must-Staple certificate\n`
  if (refusal) return `${hour} ${style.bad('✗')} ${style.strong('client')}  staple refused: ${refusal.message}\n`
  if (!verified) return ''
  const isGood = verified.certStatus === 'good'
  const until = verified.nextUpdate
    ? `, thisUpdate ${formatDistance(verified.thisUpdate, at)}, nextUpdate ${formatDistance(verified.nextUpdate, at)}`
    : ''
  return `${hour} ${isGood ? style.good('✓') : style.bad('✗')} ${style.strong('client')}  saw ${verified.certStatus}${until}; a strict client ${isGood ? 'accepts' : 'refuses the connection'}\n`
}

/** What to type in another terminal. */
export function showCommands(stage: Stage, port: number, style: Style): string {
  return `
${style.strong('See it yourself')}, in another terminal:
  openssl s_client -connect 127.0.0.1:${port} -servername localhost -CAfile ${stage.rootFile} -status </dev/null
  curl --cert-status --cacert ${stage.rootFile} https://localhost:${port}/
`
}

export function showKeys(style: Style): string {
  const key = (name: string) => style.strong(name)
  return `
  ${key('r')} stop or start the responder   ${key('k')} revoke, or lift it   ${key('a')} ask the responder now   ${key('c')} connect   ${key('q')} quit
`
}

function judgement(certStatus: string, reason: string | undefined, style: Style): string {
  if (certStatus === 'good') return style.good('accepts: certID, signature, authority and times hold (RFC 6960 §3.2)')
  return style.bad(`refuses the connection: the proof is sound and says ${certStatus}${reason ? ` (${reason})` : ''}`)
}
